/** The generated types are those of the service's interface as it is. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const web = resolve(import.meta.dirname, "..");

it("schema.d.ts is generated from openapi.json (else: npm run types)", () => {
  const generated = execFileSync("npx", ["--no-install", "openapi-typescript", "../openapi.json"], {
    cwd: join(web, "schema"),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  expect(generated.trim()).toBe(readFileSync(join(web, "shared/api/schema.d.ts"), "utf8").trim());
}, 60_000);
