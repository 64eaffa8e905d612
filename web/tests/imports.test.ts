/** Imports go one way: down these lists, between rooms, and in no circle between files. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const web = resolve(import.meta.dirname, "..");

/** A room imports only rooms above it in its list, and itself. */
const ROOMS: Record<string, readonly string[]> = {
  shared: ["locales", "format", "api", "live", "ui", "queues", "wallboard"],
  "dashboard/src": ["locales", "ui", "base", "wallboard-editor", "views", "app", "main.tsx"],
};

function files(folder: string): string[] {
  return readdirSync(join(web, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name === "node_modules" || entry.name === "test") return [];
    if (entry.isDirectory()) return files(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\.|\.d\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** What a file imports from here; dynamic imports are left out, since they close no circle at load. */
function imports(path: string): string[] {
  const text = readFileSync(join(web, path), "utf8");
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|^import "([^"]+)"/gm)].flatMap(
    ([, named, bare]) => {
      const what = named ?? bare ?? "";
      if (what.startsWith(".")) return [relative(web, resolve(web, dirname(path), what))];
      return what.startsWith("@taskrouter-sync/shared/") ? [what.replace("@taskrouter-sync/", "")] : [];
    },
  );
}

const graph = new Map(
  Object.keys(ROOMS).flatMap((folder) => files(folder).map((file) => [file, imports(file)] as const)),
);

const roomOf = (file: string, folder: string) => relative(folder, file).split("/")[0] ?? "";

it("knows every room", () => {
  for (const [folder, rooms] of Object.entries(ROOMS)) {
    const found = new Set(files(folder).map((file) => roomOf(file, folder)));
    expect([...found].filter((room) => !rooms.includes(room))).toEqual([]);
  }
});

it("a room imports only rooms above it", () => {
  const wrong = [...graph].flatMap(([file, targets]) => {
    const folder = Object.keys(ROOMS).find((one) => file.startsWith(`${one}/`)) ?? "";
    const rooms = ROOMS[folder] ?? [];
    const own = rooms.indexOf(roomOf(file, folder));
    return targets
      .filter((target) => target.startsWith(`${folder}/`) && rooms.indexOf(roomOf(target, folder)) > own)
      .map((target) => `${file} → ${target}`);
  });
  expect(wrong).toEqual([]);
});

it("shared imports nothing of the dashboard, of Paste or of a Sync SDK", () => {
  const wrong = files("shared").filter((file) =>
    /from "(@twilio|twilio-sync|.*dashboard)/.test(readFileSync(join(web, file), "utf8")),
  );
  expect(wrong).toEqual([]);
});

it("shared fetches only in api/, and never navigates", () => {
  const wrong = files("shared").filter((file) => {
    const text = readFileSync(join(web, file), "utf8");
    return (!file.startsWith("shared/api/") && /\bfetch\(/.test(text)) || /\blocation\b/.test(text);
  });
  expect(wrong).toEqual([]);
});

it("no files import each other in a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      circles.push([...path.slice(at), file].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(circles).toEqual([]);
});
