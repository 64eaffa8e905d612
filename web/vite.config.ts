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

/** Paste's global styles name fonts on another host; the page uses system fonts (src/tokens.css) and asks nobody. */
const noForeignFonts: Plugin = {
  name: "no-foreign-fonts",
  enforce: "pre",
  transform(code, id) {
    if (!/@twilio-paste[\\/]theme[\\/]dist/.test(id)) return null;
    return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
  },
};

export default defineConfig({
  // The service may stand below a path of its host.
  base: "./",
  plugins: [react(), noForeignFonts, mock],
  server: { proxy: Object.fromEntries(SERVICE.map((path) => [path, backend])) },
  // Twilio's Sync SDK was written for Node's name of it.
  define: { global: "globalThis" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      output: {
        // Twilio's SDK is a chunk by itself, which nobody loads who lives on the feed.
        advancedChunks: {
          groups: [
            {
              name: "sync-sdk",
              test: /node_modules[\\/](twilio-sync|twilsock|@twilio[\\/](?!voice)|core-js)/,
            },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts", "voice-quality/test/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
