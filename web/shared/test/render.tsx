/** Renders with React 17's `render` or React 18's `createRoot`, whichever the test project has. */
import * as React from "react";
import * as ReactDOM from "react-dom";
import { act } from "react-dom/test-utils";

interface Root {
  render(element: React.ReactElement): void;
  unmount(): void;
}

async function rootOf(container: HTMLElement): Promise<Root> {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  const { createRoot } = (await import("react-dom/client" as string)) as {
    createRoot?: (container: HTMLElement) => Root;
  };
  if (createRoot) return createRoot(container);
  const legacy = ReactDOM as unknown as {
    render(element: React.ReactElement, container: HTMLElement): void;
    unmountComponentAtNode(container: HTMLElement): void;
  };
  return {
    render: (element) => legacy.render(element, container),
    unmount: () => legacy.unmountComponentAtNode(container),
  };
}

export { act };
export const reactVersion = React.version;

export async function render(element: React.ReactElement) {
  const container = document.createElement("div");
  document.body.append(container);
  const root = await rootOf(container);
  act(() => void root.render(element));
  return {
    container,
    rerender: (next: React.ReactElement) => act(() => void root.render(next)),
    unmount() {
      act(() => root.unmount());
      container.remove();
    },
  };
}
