/**
 * Where the service is and which Sync Map stands in for it: `attributes.TaskrouterSync` of Flex's configuration, each
 * setting optional. Without an address the plugin takes the one that it was loaded from.
 */
import * as v from "valibot";

export interface Settings {
  /** With a slash at its end; undefined where it is not known. */
  service: string | undefined;
  syncMap: string;
  /** A fault in the configuration, in words. */
  problem?: string;
}

/** The name that system A's back end and this service use. */
const SYNC_MAP = "queueStats";
const schema = v.object({ url: v.optional(v.string()), syncMap: v.optional(v.string()) });

export function settingsOf(attributes: unknown, script: string | undefined): Settings {
  const given = (attributes as { TaskrouterSync?: unknown } | null | undefined)?.TaskrouterSync ?? {};
  const parsed = v.safeParse(schema, given);
  const usual: Settings = { service: serviceOf(script), syncMap: SYNC_MAP };
  if (!parsed.success) return { ...usual, problem: "TaskrouterSync: url and syncMap must be texts" };
  const { url, syncMap } = parsed.output;
  const service = url === undefined ? usual.service : addressOf(url);
  const settings: Settings = { service, syncMap: syncMap || SYNC_MAP };
  return service === undefined && url !== undefined
    ? { ...settings, problem: `TaskrouterSync.url: ${url} is not an http or https address` }
    : settings;
}

/** The bundle is at `{service}/flex-plugin/{version}/{file}`. */
function serviceOf(script: string | undefined): string | undefined {
  const at = script?.indexOf("/flex-plugin/") ?? -1;
  return script && at > 0 ? addressOf(script.slice(0, at)) : undefined;
}

function addressOf(text: string): string | undefined {
  try {
    const url = new URL(text);
    if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
    return `${url.origin}${url.pathname.replace(/\/+$/, "")}/`;
  } catch {
    return undefined;
  }
}
