/** A token that is missing costs the whole declaration that names it, without a word. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { themeOf } from "../src/flex/theme.ts";

const web = resolve(import.meta.dirname, "../..");

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") yield* files(path);
    else if (/\.(css|tsx?)$/.test(entry.name)) yield path;
  }
}

it("the plugin carries every token that its and the shared components name, in both themes", () => {
  const named = new Set<string>();
  for (const path of [...files(join(web, "shared")), ...files(join(web, "flex-plugin/src"))])
    for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/var\((--[a-z][a-z0-9-]+)/g))
      named.add(name);
  expect(named.size).toBeGreaterThan(20);
  for (const light of [true, false]) {
    const { tokens } = themeOf(light);
    expect([...named].filter((name) => !(name in tokens))).toEqual([]);
  }
});
