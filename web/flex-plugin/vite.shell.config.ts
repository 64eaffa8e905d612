import { defineConfig } from "vite";

const react17 = new URL("../react17/node_modules/", import.meta.url).pathname;

/** The stand-in shell, beside the page's build and never in it: the released program does not carry it. */
export default defineConfig({
  root: "shell",
  base: "./",
  resolve: {
    alias: [
      { find: /^react$/, replacement: `${react17}react/index.js` },
      { find: /^react-dom$/, replacement: `${react17}react-dom/index.js` },
    ],
  },
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  oxc: { jsx: { runtime: "classic" } },
  build: { target: "es2022", outDir: "../../dist-shell", emptyOutDir: true },
} as Parameters<typeof defineConfig>[0]);
