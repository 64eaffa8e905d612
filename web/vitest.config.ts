import { defineConfig } from "vitest/config";
import { pasteTokens } from "./flex-plugin/vite.plugins.ts";

/** `shared` runs under React 18 and, as Flex has it, under React 17. */
const react17 = new URL("react17/node_modules/", import.meta.url).pathname;
const classic = { jsx: { runtime: "classic" as const } };

/** When to give up on a machine that is busy with other things; no test is to take a second. */
const PATIENCE = { testTimeout: 60_000 };

const underReact17 = [
  { find: /^react$/, replacement: `${react17}react/index.js` },
  { find: /^react-dom$/, replacement: `${react17}react-dom/index.js` },
  { find: /^react-dom\/test-utils$/, replacement: `${react17}react-dom/test-utils.js` },
  {
    find: /^react-dom\/client$/,
    replacement: new URL("shared/test/noClient.ts", import.meta.url).pathname,
  },
];

export default defineConfig({
  test: {
    projects: [
      {
        oxc: classic,
        test: {
          ...PATIENCE,
          name: "shared, React 18",
          root: "shared",
          include: ["**/*.test.ts", "**/*.test.tsx"],
          environment: "node",
        },
      },
      {
        oxc: classic,
        resolve: { alias: underReact17 },
        test: {
          ...PATIENCE,
          name: "shared, React 17",
          root: "shared",
          include: ["**/*.test.tsx"],
          environment: "node",
          setupFiles: ["test/requireReact17.ts"],
          server: { deps: { inline: [/@tanstack/] } },
        },
      },
      {
        oxc: classic,
        plugins: [pasteTokens],
        resolve: { alias: underReact17 },
        test: {
          ...PATIENCE,
          name: "flex-plugin, React 17",
          root: "flex-plugin",
          include: ["test/**/*.test.ts", "test/**/*.test.tsx"],
          environment: "node",
          setupFiles: ["../shared/test/requireReact17.ts"],
          server: { deps: { inline: [/@tanstack/] } },
        },
      },
      {
        test: {
          ...PATIENCE,
          name: "dashboard",
          root: "dashboard",
          include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
          environment: "node",
        },
      },
      {
        test: {
          ...PATIENCE,
          name: "call-quality",
          root: "call-quality",
          include: ["test/**/*.test.ts"],
          environment: "node",
        },
      },
      {
        test: {
          ...PATIENCE,
          name: "workspaces",
          root: ".",
          include: ["tests/**/*.test.ts"],
          environment: "node",
        },
      },
    ],
  },
});
