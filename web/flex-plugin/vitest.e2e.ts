import { defineConfig } from "vitest/config";

/** The built plugin in the stand-in shell, in a browser; `npm run build` and `npm run shell` come first. */
export default defineConfig({
  test: {
    include: ["e2e/**/*.e2e.ts"],
    environment: "node",
    testTimeout: 300_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    // Conditions are awaited, on a busy machine too.
    expect: { poll: { timeout: 60_000 } },
  },
});
