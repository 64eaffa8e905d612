/** What was typed and not saved, kept in this browser for one Workspace and user, and deleted at sign-out. */
import type { Definition, Session } from "@taskrouter-sync/shared/api/types.ts";
import { readStored, removeStored, writeStored } from "@taskrouter-sync/shared/ui/storage.ts";
import * as v from "valibot";

const optionalText = v.optional(v.string());
const style = v.optional(
  v.object({
    styleName: v.string(),
    headlineColour: v.string(),
    statColour: v.string(),
    backgroundColour: v.string(),
  }),
);
const definitionSchema = v.looseObject({
  label: v.string(),
  formula: v.string(),
  format: optionalText,
  increment: v.optional(v.boolean()),
  defaultStyle: style,
  firstThresholdValue: optionalText,
  firstThresholdStyle: style,
  secondThresholdValue: optionalText,
  secondThresholdStyle: style,
  invertThresholds: v.optional(v.boolean()),
  slaName: optionalText,
  tv: optionalText,
  opens: optionalText,
});

const keyOf = ({ workspaceSid, user }: Session, name: string) => `draft.${workspaceSid}.${user}.${name}`;

export const readDraft = (session: Session, name: string) =>
  readStored(keyOf(session, name), definitionSchema) as Definition | undefined;

export const writeDraft = (session: Session, name: string, draft: Definition | undefined) =>
  writeStored(keyOf(session, name), draft);

export const removeDrafts = () => removeStored("draft.");
