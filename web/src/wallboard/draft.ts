/** What stands in the settings form, and how it becomes a definition. Pure. */
import type { Definition, Definitions, Preview, Problem } from "../types.ts";
import { USUAL } from "./presets.ts";

/** `Tasks waiting!` is `tasks_waiting`; a number is added when the name is taken. */
export function uniqueName(label: string, taken: Definitions | undefined): string {
  const base =
    label
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "") || "metric";
  let name = base;
  for (let n = 2; taken && name in taken; n += 1) name = `${base}_${n}`;
  return name;
}

/** `line 1, column 14: …`, where a place is known. */
export function problemText(problem: Problem): string {
  const place = [problem.line && `line ${problem.line}`, problem.column && `column ${problem.column}`].filter(
    Boolean,
  );
  return place.length > 0 ? `${place.join(", ")}: ${problem.message}` : problem.message;
}

export function byField(problems: readonly Problem[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const problem of problems) fields[problem.field ?? ""] ??= problemText(problem);
  return fields;
}

export function previewError(preview: Preview | undefined): string | undefined {
  const error = preview?.error;
  if (!error) return undefined;
  return typeof error === "string" ? error : problemText(error);
}

/** What stands differently in the form than where it began: only that is the editor's own. */
export function changes(form: Definition, from: Definition): Partial<Definition> {
  const own = (Object.keys(form) as (keyof Definition)[]).filter(
    (field) => JSON.stringify(form[field]) !== JSON.stringify(from[field]),
  );
  return Object.fromEntries(own.map((field) => [field, form[field]]));
}

/** A metric that is not saved yet stands on the wallboard under this name. */
export const DRAFT = "new metric (draft)";

export const same = (a: Definition, b: Definition) => JSON.stringify(a) === JSON.stringify(b);

/** As it is saved: with a style wherever a threshold stands, as the form shows it. */
export function whole(form: Definition): Definition {
  const passes = (limit: string | undefined) => limit !== undefined && String(limit).trim() !== "";
  const styles: Partial<Definition> = {};
  if (passes(form.firstThresholdValue) && !form.firstThresholdStyle)
    styles.firstThresholdStyle = USUAL.firstThresholdStyle;
  if (passes(form.secondThresholdValue) && !form.secondThresholdStyle)
    styles.secondThresholdStyle = USUAL.secondThresholdStyle;
  return { ...form, ...styles };
}

export interface Leaf {
  path: string;
  value: string;
  isLeaf: boolean;
}

/** A path as it stands in a formula. */
export function step(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
