import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Everything that the service answers; the rest is this page. */
const SERVICE = ["/api", "/taskrouter_tasks", "/taskrouter_workers", "/login", "/logout"];

/** BACKEND=http://localhost:8080 npm run dev: a real service; without it the mock runs beside the dev server. */
const backend = process.env.BACKEND ?? "http://127.0.0.1:4010";

const mock: Plugin = {
  name: "mock-backend",
  apply: "serve",
  async configureServer() {
    if (process.env.BACKEND || process.env.VITEST) return;
    const { startMock } = await import("./mock/server.mjs");
    await startMock({ port: 4010 });
  },
};

export default defineConfig({
  // The service may be below a path of its host.
  base: "./",
  plugins: [react(), mock],
  server: { proxy: Object.fromEntries(SERVICE.map((path) => [path, backend])) },
  // Twilio's Sync SDK uses Node's name for it.
  define: { global: "globalThis" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // The service embeds this folder; `voice-quality.js` is built into it afterwards.
    outDir: "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        // Twilio's SDK is a chunk of its own: a page that stays on the feed never loads it.
        advancedChunks: {
          groups: [
            {
              name: "sync-sdk",
              test: /node_modules[\\/](twilio-sync|twilsock|@twilio[\\/](?!voice)|core-js)/,
            },
            // Loaded with the first curve.
            { name: "plot", test: /node_modules[\\/]uplot[\\/].*\.js$/ },
          ],
        },
      },
    },
  },
} as Parameters<typeof defineConfig>[0]);
