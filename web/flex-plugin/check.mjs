/** Type-checks the plugin and the stand-in shell against the real `@twilio/flex-ui`, which is installed at the first check. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

if (!existsSync(new URL("types/node_modules/@twilio/flex-ui/package.json", import.meta.url)))
  execFileSync("npm", ["run", "--silent", "types"], { stdio: "inherit" });
execFileSync("npx", ["--no-install", "tsc", "--noEmit"], { stdio: "inherit" });
