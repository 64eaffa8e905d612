/** CommonJS packages that ask for React get React 17 too; Vite's aliases reach only what Vite transforms. */
import { createRequire } from "node:module";

const resolver = createRequire(import.meta.url)("node:module") as {
  _resolveFilename(request: string, ...rest: unknown[]): string;
};
const react17 = createRequire(`${import.meta.dirname}/../../react17/package.json`);
const paths = new Map(["react", "react-dom"].map((name) => [name, react17.resolve(name)]));
const original = resolver._resolveFilename;
resolver._resolveFilename = (request, ...rest) =>
  paths.get(request) ?? original.call(resolver, request, ...rest);
