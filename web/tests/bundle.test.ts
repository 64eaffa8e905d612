/** What a browser loads stays small. Skipped where the page is not built. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const dist = resolve(import.meta.dirname, "../dist");
const assets = join(dist, "assets");

/** Compressed, in kB: about a tenth above what is built today. */
const BUDGET_KB = {
  firstPaint: 118,
  "sync-sdk": 92,
  /** The charts' library. */
  plot: 26,
  any: 8,
  "voice-quality.js": 3,
  flexPlugin: 60,
};

const size = (path: string) => gzipSync(readFileSync(path)).length / 1000;

it.skipIf(!existsSync(assets))("every chunk stays within its budget", () => {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const first = [...html.matchAll(/assets\/[\w.-]+\.(?:js|css)/g)].map(([name]) => join(dist, name));
  const total = first.reduce((sum, path) => sum + size(path), 0);
  expect(total, "index.html's own files").toBeLessThan(BUDGET_KB.firstPaint);
  for (const name of readdirSync(assets).filter((one) => one.endsWith(".js"))) {
    const path = join(assets, name);
    if (first.includes(path)) continue;
    const large = (["sync-sdk", "plot"] as const).find((one) => name.startsWith(`${one}-`));
    expect(size(path), name).toBeLessThan(BUDGET_KB[large ?? "any"]);
  }
  expect(size(join(dist, "voice-quality.js"))).toBeLessThan(BUDGET_KB["voice-quality.js"]);
});

const plugin = join(dist, "flex-plugin");

it.skipIf(!existsSync(plugin))("the Flex plugin is one self-contained script, within its budget", () => {
  const files = readdirSync(plugin);
  expect(files).toEqual([expect.stringMatching(/^taskrouter-sync-[\w-]+\.js$/)]);
  const path = join(plugin, files[0] ?? "");
  expect(size(path)).toBeLessThan(BUDGET_KB.flexPlugin);
  const text = readFileSync(path, "utf8");
  expect(text, "nothing else is loaded").not.toMatch(/\bimport\s*\(|^\s*import\b/m);
});
