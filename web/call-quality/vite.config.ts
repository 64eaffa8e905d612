import { defineConfig } from "vite";

/** Two files beside the page: `voice-quality.js` for a script tag (global `VoiceQuality`), `voice-quality.mjs` for imports. */
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "../dist",
    emptyOutDir: false,
    lib: {
      entry: "src/index.ts",
      name: "VoiceQuality",
      formats: ["iife", "es"],
      fileName: (format) => (format === "es" ? "voice-quality.mjs" : "voice-quality.js"),
    },
  },
});
