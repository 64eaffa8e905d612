/** The settings form of a metric. */

import { ApiError, messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import type { Definition, OnTv, Style } from "@taskrouter-sync/shared/api/types.ts";
import { compactDuration } from "@taskrouter-sync/shared/format/duration.ts";
import { QUEUE_FILTERS } from "@taskrouter-sync/shared/queues/filters.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { DEFAULT_STYLES, PRESETS } from "@taskrouter-sync/shared/wallboard/presets.ts";
import { judge } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSession } from "../base/session.ts";
import { usePageText } from "../locales/index.ts";
import { Checkbox, Field, Select, TextArea, TextInput } from "../ui/Form.tsx";
import {
  byField,
  changes,
  DRAFT,
  type Draft,
  isEqual,
  previewProblem,
  uniqueName,
  unreachable,
  warningOf,
  withDefaults,
} from "./draft.ts";
import { FieldBrowser } from "./FieldBrowser.tsx";
import { ThresholdFields } from "./ThresholdFields.tsx";
import type { DefinitionsApi } from "./useDefinitions.ts";
import { usePreview } from "./usePreview.ts";

export interface EditorProps {
  name: string;
  saved: Definition;
  /** What was typed before and never saved. */
  start: Definition | undefined;
  definitions: DefinitionsApi;
  onDraft(draft: Draft | undefined): void;
  onKeep(draft: Definition | undefined): void;
  onClose(): void;
}

export function Editor({ name, saved, start, definitions, onDraft, onKeep, onClose }: EditorProps) {
  const {
    editor: text,
    queues: { selections },
  } = usePageText();
  // The own fields are laid over what is saved by now: another editor may change the same metric meanwhile.
  const [own, setOwn] = useState<Partial<Definition>>(() => (start ? changes(start, saved) : {}));
  const form = useMemo(() => ({ ...saved, ...own }), [saved, own]);
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const formula = useRef<HTMLTextAreaElement>(null);
  const isNew = name === "";
  const changed = !isEqual(form, saved);
  const preview = usePreview(form);
  const failing = previewProblem(preview, form, text);
  // A formula without a value now is saved only by one who has read so.
  const anyway = failing !== undefined && (changed || isNew);

  const set = <K extends keyof Definition>(field: K, value: Definition[K]) => {
    const next = { ...form, [field]: value };
    setOwn(changes(next, saved));
    onKeep(isEqual(next, saved) ? undefined : next);
    setProblems((before) => ({ ...before, [field]: "" }));
  };

  useEffect(() => {
    if (preview.status !== "answer") return;
    if (!changed && !isNew) return onDraft(undefined);
    const definition = withDefaults(form);
    onDraft({
      name: name || DRAFT,
      definition,
      metric: {
        name: name || DRAFT,
        label: form.label,
        format: form.format ?? "",
        increment: form.increment === true,
        asOf: null,
        threshold: judge(preview.preview.value, definition),
        ...preview.preview,
      },
    });
  }, [preview, form, changed, isNew, name, onDraft]);

  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
      onKeep(undefined);
      onClose();
    } catch (error) {
      const fields = error instanceof ApiError ? byField(error.problems, text) : {};
      setProblems(Object.keys(fields).length > 0 ? fields : { "": messageOf(error) });
    } finally {
      setBusy(false);
    }
  };

  const save = () =>
    act(() =>
      isNew
        ? definitions.add(uniqueName(form.label, definitions.all), withDefaults(form), anyway)
        : definitions.change(name, changes(withDefaults(form), saved), anyway),
    );

  const pick = (path: string) => {
    const area = formula.current;
    const from = area?.selectionStart ?? form.formula.length;
    const to = area?.selectionEnd ?? form.formula.length;
    set("formula", form.formula.slice(0, from) + path + form.formula.slice(to));
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(from + path.length, from + path.length);
    });
  };

  const tv = (["", "always", "never"] as const).map((when) => [when, text.onTv[when || "inTurn"]] as const);
  const opens = [["", text.opensNothing], ...QUEUE_FILTERS.map((one) => [one, selections[one]])] as [
    string,
    string,
  ][];
  const result =
    preview.status === "answer"
      ? text.result(compactDuration(preview.preview.text))
      : changed
        ? text.pending
        : text.formulaHelp;
  return (
    <form
      className="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {start && changed && <p className={`${ui.weak} ${ui.small}`}>{text.unsaved}</p>}
      <Field id="label" label={text.label} error={problems.label}>
        <TextInput
          id="label"
          value={form.label}
          invalid={!!problems.label}
          onChange={(value) => set("label", value)}
        />
      </Field>
      <Field
        id="formula"
        label={text.formula}
        error={problems.formula || (failing && text.previewFailed(failing))}
        warning={warningOf(preview, "formula", text)}
        help={result}
      >
        <TextArea
          id="formula"
          textRef={formula}
          value={form.formula}
          invalid={!!(problems.formula || failing)}
          spellCheck={false}
          onChange={(value) => set("formula", value)}
        />
      </Field>
      <Browser onPick={pick} />
      <div className="pair">
        <Field id="format" label={text.format} error={problems.format}>
          <Select
            id="format"
            value={form.format ?? ""}
            options={formats(text.formats)}
            onChange={(value) => set("format", value)}
          />
        </Field>
        <StyleField id="defaultStyle" label={text.style} value={form.defaultStyle} onChange={set} />
      </div>
      <ServiceLevelField value={form.slaName} error={problems.slaName} onChange={(v) => set("slaName", v)} />
      <Checkbox checked={form.increment === true} onChange={(checked) => set("increment", checked)}>
        {text.increment}
      </Checkbox>
      <ThresholdFields form={form} problems={problems} never={unreachable(form)} onChange={set}>
        {(id, label) => <StyleField id={id} label={label} value={form[id]} onChange={set} />}
      </ThresholdFields>
      <Checkbox
        checked={form.invertThresholds === true}
        onChange={(checked) => set("invertThresholds", checked)}
      >
        {text.invert}
      </Checkbox>
      <div className="pair">
        <Field id="tv" label={text.tv} error={problems.tv}>
          <Select id="tv" value={form.tv ?? ""} options={tv} onChange={(value) => set("tv", value as OnTv)} />
        </Field>
        <Field id="opens" label={text.opens} error={problems.opens}>
          <Select
            id="opens"
            value={form.opens ?? ""}
            options={opens}
            onChange={(value) => set("opens", value)}
          />
        </Field>
      </div>
      {problems[""] && (
        <p role="alert" className="field-error">
          {problems[""]}
        </p>
      )}
      <div className="form-end">
        <button
          type="submit"
          className={`${controls.button} ${controls.primary}`}
          disabled={busy || (!changed && !isNew)}
        >
          {anyway ? (isNew ? text.addAnyway : text.saveAnyway) : isNew ? text.add : text.save}
        </button>
        <button
          type="button"
          className={controls.button}
          onClick={() => {
            onKeep(undefined);
            onClose();
          }}
        >
          {changed ? text.discard : text.cancel}
        </button>
        {!isNew && (
          <button
            type="button"
            className={`${controls.button} ${controls.destructive}`}
            disabled={busy}
            onClick={() => void act(() => definitions.remove(name))}
          >
            {text.remove}
          </button>
        )}
      </div>
    </form>
  );
}

const formats = (
  text: ReturnType<typeof usePageText>["editor"]["formats"],
): readonly (readonly [string, string])[] => [
  ["", text.plain],
  ["seconds", text.seconds],
  ["minutes", text.minutes],
  ["duration", text.duration],
  ["percent", text.percent],
  ...[0, 1, 2, 3, 4, 5, 6].map((n) => [`number:${n}`, text.number(n)] as const),
  ["time", text.time],
];

function Browser({ onPick }: { onPick(path: string): void }) {
  const text = usePageText().editor;
  const [open, setOpen] = useState(false);
  return (
    <div className="form-browser">
      <button type="button" className={controls.link} aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? text.hide : text.browse}
      </button>
      {open && <FieldBrowser onPick={onPick} />}
    </div>
  );
}

interface ServiceLevelFieldProps {
  value: string | undefined;
  error: string | undefined;
  onChange(value: string): void;
}

function ServiceLevelField({ value, error, onChange }: ServiceLevelFieldProps) {
  const text = usePageText().editor;
  const { slaNames = [], sla } = useSession();
  if (slaNames.length === 0) return null;
  const levels = slaNames.map(({ name, label }) => [name, label] as const);
  const usual = levels.find(([name]) => name === sla)?.[1];
  return (
    <Field id="slaName" label={text.serviceLevel} error={error} help={text.slaHelp}>
      <Select
        id="slaName"
        value={value ?? ""}
        options={[["", text.slaDefault(usual)], ...levels]}
        onChange={onChange}
      />
    </Field>
  );
}

export type StyleKey = "defaultStyle" | "firstThresholdStyle" | "secondThresholdStyle";

interface StyleFieldProps {
  id: StyleKey;
  label: string;
  value: Style | undefined;
  onChange(field: StyleKey, style: Style): void;
}

function StyleField({ id, label, value, onChange }: StyleFieldProps) {
  const own = value && !PRESETS.some((style) => style.styleName === value.styleName) ? [value] : [];
  const all = [...PRESETS, ...own];
  return (
    <Field id={id} label={label}>
      <Select
        id={id}
        value={(value ?? DEFAULT_STYLES[id])?.styleName ?? ""}
        options={all.map(({ styleName }) => [styleName, styleName] as const)}
        onChange={(name) => {
          const style = all.find((s) => s.styleName === name);
          if (style) onChange(id, style);
        }}
      />
    </Field>
  );
}
