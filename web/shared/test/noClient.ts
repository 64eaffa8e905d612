/** In place of `react-dom/client`, which React 17 does not have. */
export const createRoot = undefined;
