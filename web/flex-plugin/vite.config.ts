import { defineConfig } from "vite";
import { flexGlobals, pasteTokens, stylesInScript } from "./vite.plugins.ts";

/** One self-contained script with a hash in its name, which the service serves below `/flex-plugin/{version}/`. */
export default defineConfig({
  plugins: [flexGlobals, pasteTokens, stylesInScript],
  publicDir: false,
  define: { "process.env.NODE_ENV": '"production"' },
  oxc: { jsx: { runtime: "classic" } },
  build: {
    target: "es2020",
    outDir: "../dist/flex-plugin",
    emptyOutDir: true,
    cssCodeSplit: false,
    assetsInlineLimit: 1_000_000,
    rollupOptions: {
      input: "src/main.ts",
      output: {
        format: "iife",
        entryFileNames: "taskrouter-sync-[hash].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
} as Parameters<typeof defineConfig>[0]);
