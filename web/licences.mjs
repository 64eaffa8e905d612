// The licences of all npm packages in the lock file: `npm run check` runs it. What the page is made of is shipped inside the
// service, so only permissive licences are allowed there; what only builds or tests it may have a few more.

import { readFileSync } from "node:fs";

const SHIPPED = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "OFL-1.1"];
const TOOLS = [...SHIPPED, "CC0-1.0", "MPL-2.0", "Python-2.0"];
// Proprietary; a peer of Paste, which npm would install unasked.
const BANNED = ["highcharts"];

/** The licences that an SPDX expression lets one choose from; packages here use no AND. */
const choices = (expression) => expression.replace(/[()]/g, "").split(/ OR /);

const faults = ({ packages }) =>
  Object.entries(packages).flatMap(([path, entry]) => {
    const name = path.split("node_modules/").pop();
    // The root, and the workspaces' own folders.
    if (!path.includes("node_modules/") || entry.link) return [];
    if (BANNED.includes(name)) return [`${name} is not to be installed`];
    const allowed = entry.dev || entry.devOptional || entry.optional ? TOOLS : SHIPPED;
    const fits = entry.license && choices(entry.license).some((licence) => allowed.includes(licence));
    return fits
      ? []
      : [
          `${name}: ${entry.license ?? "no licence"} is not allowed for ${allowed === SHIPPED ? "what is shipped" : "a tool"}`,
        ];
  });

const one = (path, entry) => faults({ packages: { [path]: entry } }).length;
// It is held to what it must find, each time.
const holds =
  one("node_modules/a", { license: "MIT" }) === 0 &&
  one("node_modules/a", { license: "GPL-3.0 OR MIT" }) === 0 &&
  one("node_modules/a", { license: "MPL-2.0", dev: true }) === 0 &&
  one("node_modules/a", { license: "MPL-2.0" }) === 1 &&
  one("node_modules/a", {}) === 1 &&
  one("node_modules/a/node_modules/highcharts", { license: "MIT", dev: true }) === 1;
const found = holds
  ? faults(JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8")))
  : ["the check itself is broken"];
for (const fault of found) console.error(`licences: ${fault}`);
process.exitCode = found.length > 0 ? 1 : 0;
