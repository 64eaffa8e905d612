/** The content of the settings form, and how it becomes a definition. Pure. */
import type { Definition, Definitions, Metric, Preview, Problem } from "@taskrouter-sync/shared/api/types.ts";
import { DEFAULT_STYLES } from "@taskrouter-sync/shared/wallboard/presets.ts";
import { limitOf } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import type { PageTexts } from "../locales/index.ts";

export type EditorTexts = PageTexts["editor"];

/** `Tasks waiting!` is `tasks_waiting`; a number is added when the name is taken. */
export function uniqueName(label: string, taken: Definitions | undefined): string {
  const base =
    label
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "") || "metric";
  let name = base;
  for (let n = 2; taken && Object.hasOwn(taken, name); n += 1) name = `${base}_${n}`;
  return name;
}

/** `line 1, column 14: …`, where a place is known. */
export function problemText(problem: Problem, text: EditorTexts): string {
  const place = text.place(problem.line, problem.column);
  return place ? `${place}: ${problem.message}` : problem.message;
}

export function byField(problems: readonly Problem[], text: EditorTexts): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const problem of problems) fields[problem.field ?? ""] ??= problemText(problem, text);
  return fields;
}

export function previewError(preview: Preview | undefined, text: EditorTexts): string | undefined {
  const error = preview?.error;
  if (!error) return undefined;
  return typeof error === "string" ? error : problemText(error, text);
}

/** The fields that differ from the saved definition: only these are the editor's own. */
export function changes(form: Definition, from: Definition): Partial<Definition> {
  const own = (Object.keys(form) as (keyof Definition)[]).filter(
    (field) => JSON.stringify(form[field]) !== JSON.stringify(from[field]),
  );
  return Object.fromEntries(own.map((field) => [field, form[field]]));
}

/** What the drawer shows of a metric before it is saved. */
export interface Draft {
  name: string;
  metric: Metric;
  definition: Definition;
}

/** The result of the form's formula. It belongs to one state of the form: another form has another result. */
export type PreviewState =
  | { for: Definition; status: "pending" }
  | { for: Definition; status: "answer"; preview: Preview }
  | { for: Definition; status: "error"; message: string };

/** Why the formula of this form has no result; undefined while it is computed or when it has one. */
export function previewProblem(
  state: PreviewState | undefined,
  form: Definition,
  text: EditorTexts,
): string | undefined {
  if (state?.for !== form) return undefined;
  if (state.status === "error") return state.message;
  return state.status === "answer" ? previewError(state.preview, text) : undefined;
}

/** What an editor should know of a field before saving it. */
export function warningOf(state: PreviewState, field: string, text: EditorTexts): string | undefined {
  const warnings = state.status === "answer" ? (state.preview.warnings ?? []) : [];
  const found = warnings.find((warning) => warning.field === field);
  return found && problemText(found, text);
}

/** The name of a metric that is not saved yet. */
export const DRAFT = "new metric (draft)";

export const isEqual = (a: Definition, b: Definition) => JSON.stringify(a) === JSON.stringify(b);

/** As it is saved: with a style for each threshold, and limits in numbers. */
export function withDefaults(form: Definition): Definition {
  const passes = (limit: string | undefined) => limit !== undefined && String(limit).trim() !== "";
  const styles: Partial<Definition> = {};
  if (passes(form.firstThresholdValue) && !form.firstThresholdStyle)
    styles.firstThresholdStyle = DEFAULT_STYLES.firstThresholdStyle;
  if (passes(form.secondThresholdValue) && !form.secondThresholdStyle)
    styles.secondThresholdStyle = DEFAULT_STYLES.secondThresholdStyle;
  for (const field of ["firstThresholdValue", "secondThresholdValue"] as const) {
    const limit = form[field];
    const seconds = typeof limit === "string" ? clockSeconds(limit) : undefined;
    if (seconds !== undefined) styles[field] = String(seconds);
  }
  return { ...form, ...styles };
}

/** Seconds of `5:00` or `1:05:00`; undefined for any other text. */
export function clockSeconds(text: string): number | undefined {
  const found = /^\s*(?:(\d+):)?(\d+):([0-5]\d)\s*$/.exec(text);
  if (!found) return undefined;
  const [, hours = "0", minutes = "0", seconds = "0"] = found;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** Which threshold never shows, because the other one always applies first. */
export function unreachable(form: Definition): "first" | "second" | undefined {
  const { firstThresholdValue, secondThresholdValue, invertThresholds } = withDefaults(form);
  const first = limitOf(firstThresholdValue);
  const second = limitOf(secondThresholdValue);
  if (first === undefined || second === undefined) return undefined;
  if (invertThresholds) return second <= first ? "second" : undefined;
  return second <= first ? "first" : undefined;
}

/** A path as a formula writes it; a TaskQueue by its SID, because its place changes when another one is added. */
export function elementPath(path: string, index: number, element: unknown): string {
  const sid = path === "data.queues" ? (element as { sid?: unknown } | null)?.sid : undefined;
  return typeof sid === "string" ? `queue(${JSON.stringify(sid)})` : appendPath(path, index);
}

export function appendPath(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}
