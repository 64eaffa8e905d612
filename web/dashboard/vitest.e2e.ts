import { defineConfig } from "vitest/config";

/** The built page in a browser; one file after the other, because each has a browser of its own. */
export default defineConfig({
  test: {
    include: ["e2e/**/*.e2e.ts"],
    environment: "node",
    testTimeout: 300_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    // Conditions are awaited, on a busy machine too.
    expect: { poll: { timeout: 20_000 } },
  },
});
