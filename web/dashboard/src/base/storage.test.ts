import { hiddenSchema, sortSchema } from "@taskrouter-sync/shared/queues/tableChoices.ts";
import { readStored } from "@taskrouter-sync/shared/ui/storage.ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { readDraft, removeDrafts, writeDraft } from "../wallboard-editor/storedDrafts.ts";
import { themeSchema } from "./theme.ts";

class FakeStorage {
  getItem(key: string) {
    return Object.hasOwn(this, key) ? (this as unknown as Record<string, string>)[key] : null;
  }
  setItem(key: string, value: string) {
    Object.assign(this, { [key]: value });
  }
  removeItem(key: string) {
    delete (this as unknown as Record<string, string>)[key];
  }
}

const store = (key: string, text: string) => localStorage.setItem(`taskrouter-sync.${key}`, text);

beforeEach(() => void vi.stubGlobal("localStorage", new FakeStorage()));
afterEach(() => void vi.unstubAllGlobals());

it("ignores what an older page or a damaged browser stored", () => {
  for (const text of ["null", "7", '{"0":"a"}', "[1]", "not JSON"]) {
    store("queues.hidden", text);
    expect(readStored("queues.hidden", hiddenSchema), text).toBeUndefined();
  }
  for (const text of ["null", '{"by":7,"down":true}', '{"down":"yes"}']) {
    store("queues.sort", text);
    expect(readStored("queues.sort", sortSchema), text).toBeUndefined();
  }
  store("theme", '"sepia"');
  expect(readStored("theme", themeSchema)).toBeUndefined();
  store("queues.sort", '{"by":"pending","down":false}');
  expect(readStored("queues.sort", sortSchema)).toEqual({ by: "pending", down: false });
});

it("survives a browser that refuses storage", () => {
  vi.stubGlobal("localStorage", undefined);
  expect(readStored("theme", themeSchema)).toBeUndefined();
  removeDrafts();
});

it("keeps drafts by Workspace and user, and removes them at sign-out", () => {
  const session = (workspaceSid: string, user: string) =>
    ({ workspaceSid, user }) as Parameters<typeof readDraft>[0];
  const sam = session("WS1", "sam");
  writeDraft(sam, "waiting", { label: "Mine", formula: "1" });
  expect(readDraft(sam, "waiting")?.label).toBe("Mine");
  expect(readDraft(session("WS1", "ada"), "waiting")).toBeUndefined();
  expect(readDraft(session("WS2", "sam"), "waiting")).toBeUndefined();
  store("theme", '"twilio"');
  removeDrafts();
  expect(readDraft(sam, "waiting")).toBeUndefined();
  expect(readStored("theme", themeSchema)).toBe("twilio");
});

it("drops a stored draft of another shape", () => {
  const sam = { workspaceSid: "WS1", user: "sam" } as Parameters<typeof readDraft>[0];
  store("draft.WS1.sam.waiting", '{"label":["x"],"formula":null}');
  expect(readDraft(sam, "waiting")).toBeUndefined();
});
