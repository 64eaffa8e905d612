// Writes what the program is made of to standard output, as CycloneDX 1.5: the crates in the binary, and the npm packages in
// the dashboard's page, which the binary carries. `.ci/sbom` and the Dockerfile run it:
//
//   cargo metadata --format-version 1 --locked --filter-platform TARGET >metadata.json
//   node .ci/sbom.mjs metadata.json Cargo.lock web/package-lock.json
//
// It needs nothing but these files. Crates that only build or test are left out, macros are in.

import { readFileSync } from "node:fs";

const [metadataFile, cargoLock, npmLock] = process.argv.slice(2);
const read = (file) => readFileSync(file, "utf8");

const licences = (expression) => {
  if (!expression) return {};
  const spdx = expression.replaceAll("/", " OR ");
  return { licenses: [/ /.test(spdx) ? { expression: spdx } : { license: { id: spdx } }] };
};

const crates = () => {
  const { packages, resolve } = JSON.parse(read(metadataFile));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const checksums = new Map();
  for (const [, name, version, checksum] of read(cargoLock).matchAll(/name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(.+)"/g)) {
    checksums.set(`${name}@${version}`, checksum);
  }
  const root = packages.find((one) => one.name === "taskrouter-sync");
  const found = new Set();
  const follow = (id) => {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (found.has(pkg) || !kinds.some(({ kind }) => kind === null)) continue;
      found.add(pkg);
      follow(pkg);
    }
  };
  follow(root.id);
  const component = ({ name, version, license }) => {
    const checksum = checksums.get(`${name}@${version}`);
    return {
      type: "library",
      "bom-ref": `cargo:${name}@${version}`,
      name,
      version,
      purl: `pkg:cargo/${name}@${version}`,
      ...licences(license),
      ...(checksum && { hashes: [{ alg: "SHA-256", content: checksum }] }),
    };
  };
  return { root, components: packages.filter(({ id }) => found.has(id)).map(component) };
};

// `npm sbom` stops at React 17, which stands in the lock file for tests beside the page's React 18.
const npmPackages = () => {
  const { packages } = JSON.parse(read(npmLock));
  /** Where Node.js finds a package that one in this folder asks for. */
  const find = (from, name) => {
    const parts = from.split("/");
    for (let length = parts.length; length >= 0; length--) {
      const path = [...parts.slice(0, length), "node_modules", name].join("/");
      if (packages[path]) return packages[path].link ? packages[path].resolved : path;
    }
  };
  const found = new Set();
  const follow = (path) => {
    const { dependencies, optionalDependencies } = packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = find(path, name);
      if (!at || found.has(at)) continue;
      found.add(at);
      follow(at);
    }
  };
  for (const workspace of ["dashboard", "shared", "call-quality"]) follow(workspace);
  const component = (path) => {
    const { version, license, integrity = "" } = packages[path];
    const name = path.split("node_modules/").pop();
    const [algorithm, hash] = integrity.split(/-(.*)/s);
    return {
      type: "library",
      "bom-ref": `npm:${name}@${version}`,
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      ...licences(license),
      ...(algorithm === "sha512" && { hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] }),
    };
  };
  return [...found].filter((path) => path.includes("node_modules/")).map(component);
};

const { root, components } = crates();
const all = new Map([...components, ...npmPackages()].map((one) => [one["bom-ref"], one]));
const bom = {
  $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  version: 1,
  metadata: {
    component: { type: "application", "bom-ref": root.name, name: root.name, version: root.version, ...licences(root.license) },
  },
  components: [...all.values()].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1)),
};
if (bom.components.length < 50 || !all.has(`cargo:serde@${components.find(({ name }) => name === "serde")?.version}`)) {
  throw new Error("the search for packages has gone blind");
}
console.log(JSON.stringify(bom, null, 2));
