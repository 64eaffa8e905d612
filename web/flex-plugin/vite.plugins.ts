/** What turns the sources into one script for Flex. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const GLOBALS: Record<string, string> = {
  react: "React",
  "react-dom": "ReactDOM",
  redux: "Redux",
  "react-redux": "ReactRedux",
  "@twilio/flex-ui": "Twilio.Flex",
};

/** Flex's own React, Redux and itself: the one instance that the page has. */
export const flexGlobals: Plugin = {
  name: "flex-globals",
  enforce: "pre",
  resolveId: (id) => (Object.hasOwn(GLOBALS, id) ? `\0flex:${id}` : undefined),
  load: (id) =>
    id.startsWith("\0flex:") ? `module.exports = globalThis.${GLOBALS[id.slice(6)]};` : undefined,
};

/** Of Paste's tokens those that the components use: colours, which metrics choose freely, and sizes, which a test finds. */
const USED =
  /^(color|space-(10|20|30|40|50|60|70|90|100)$|font-(size-(20|30|40|50)|family)|line-height-(10|40)$|border-radius-(20|30)$|shadow-low$)/;

export const pasteTokens: Plugin = {
  name: "paste-tokens",
  resolveId: (id) => (id.startsWith("virtual:tokens/") ? `\0${id}` : undefined),
  load(id) {
    if (!id.startsWith("\0virtual:tokens/")) return undefined;
    const theme = id.split("/")[1];
    const require = createRequire(import.meta.url);
    const file = require.resolve(
      `@twilio-paste/design-tokens/dist/themes/${theme}/tokens.custom-properties.css`,
    );
    const found = [...readFileSync(file, "utf8").matchAll(/--([a-z0-9-]+):\s*([^;]+);/g)];
    const used = found.flatMap(([, name = "", value = ""]) =>
      USED.test(name) ? [[`--${name}`, value.trim()]] : [],
    );
    return `export default ${JSON.stringify(Object.fromEntries(used))};`;
  },
};

/** The styles go into the script: Flex loads one file. */
export const stylesInScript: Plugin = {
  name: "styles-in-script",
  enforce: "post",
  generateBundle(_, bundle) {
    const styles = Object.values(bundle).filter(
      (one) => one.type === "asset" && one.fileName.endsWith(".css"),
    );
    const css = styles.map((one) => (one.type === "asset" ? String(one.source) : "")).join("");
    for (const one of styles) delete bundle[one.fileName];
    const script = Object.values(bundle).find((one) => one.type === "chunk" && one.isEntry);
    if (!css || script?.type !== "chunk") return;
    script.code =
      `(function(){var s=document.createElement("style");s.textContent=${JSON.stringify(css)};` +
      `document.head.appendChild(s)})();${script.code}`;
  },
};
