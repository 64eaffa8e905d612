/** Imports go one way: down the lists in docs/architecture.md, and in no circle between files. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const web = resolve(import.meta.dirname, "..");

const document = readFileSync(join(web, "../docs/architecture.md"), "utf8");

/** The lines of a list, from the top. Rooms of one line don't import each other. */
function levels(folder: string): string[][] {
  const [, list] = document.split(`\`\`\`text rooms web/${folder}\n`);
  const lines = list?.split("\n```")[0]?.split("\n") ?? [];
  return lines.map((line) => line.trim().split(/\s+/));
}

const ROOMS = new Map(
  ["shared", "dashboard/src", "flex-plugin/src"].map((folder) => [folder, levels(folder)]),
);

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
  [...ROOMS.keys()].flatMap((folder) => files(folder).map((file) => [file, imports(file)] as const)),
);

/** Undefined for `main.tsx`, which starts everything. */
const roomOf = (file: string, folder: string) => {
  const [room = "", ...rest] = relative(folder, file).split("/");
  return rest.length > 0 ? room : undefined;
};
const levelOf = (folder: string, room: string | undefined) =>
  ROOMS.get(folder)?.findIndex((line) => room !== undefined && line.includes(room)) ?? -1;

it("the document lists every room, and no other", () => {
  for (const [folder, lines] of ROOMS) {
    const found = new Set(files(folder).flatMap((file) => roomOf(file, folder) ?? []));
    expect([...found].sort(), folder).toEqual(lines.flat().sort());
  }
});

it("a room imports only rooms of lower lines, and itself", () => {
  const wrong = [...graph].flatMap(([file, targets]) => {
    const folder = [...ROOMS.keys()].find((one) => file.startsWith(`${one}/`)) ?? "";
    const room = roomOf(file, folder);
    if (room === undefined) return [];
    return targets
      .filter((target) => {
        const other = roomOf(target, folder);
        const inside = target.startsWith(`${folder}/`) && other !== room;
        return inside && levelOf(folder, other) <= levelOf(folder, room);
      })
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
