/** The settings form of a metric, from Paste's parts. */
import { Button } from "@twilio-paste/core/button";
import { Checkbox } from "@twilio-paste/core/checkbox";
import { HelpText } from "@twilio-paste/core/help-text";
import { Input } from "@twilio-paste/core/input";
import { Label } from "@twilio-paste/core/label";
import { Option, Select } from "@twilio-paste/core/select";
import { TextArea } from "@twilio-paste/core/textarea";
import { Theme } from "@twilio-paste/core/theme";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import * as api from "../api.ts";
import { useSession } from "../shell/session.ts";
import type { Definition, Preview, Style } from "../types.ts";
import type { Editing } from "./definitions.ts";
import { byField, changes, DRAFT, previewError, same, uniqueName, whole } from "./draft.ts";
import { FieldBrowser } from "./FieldBrowser.tsx";
import { PRESETS, USUAL } from "./presets.ts";
import type { Draft } from "./Wallboard.tsx";

/** Quick enough to feel live, slow enough not to ask for every letter. */
const PREVIEW_MS = 300;

const FORMATS: readonly [string, string][] = [
  ["", "As it is"],
  ["seconds", "HH:MM:SS"],
  ["minutes", "Whole minutes"],
  ["duration", "1h 05m"],
  ["percent", "Per cent"],
  ...[0, 1, 2, 3, 4, 5, 6].map((n): [string, string] => [
    `number:${n}`,
    `Number, ${n} decimal${n === 1 ? "" : "s"}`,
  ]),
  ["time", "Time of day"],
];

/** What this page does not know stays as it is. */
const unknown = (value: string | undefined, known: readonly (readonly [string, string])[]) =>
  value && !known.some(([name]) => name === value) ? [[value, value] as const] : [];

interface Props {
  name: string;
  saved: Definition;
  /** What was typed before and never saved. */
  start: Definition | undefined;
  definitions: Editing;
  onDraft(draft: Draft | undefined): void;
  onKeep(draft: Definition | undefined): void;
  onClose(): void;
}

export function Editor({ name, saved, start, definitions, onDraft, onKeep, onClose }: Props) {
  // Over whatever is saved by now: somebody else may edit the same metric meanwhile.
  const [own, setOwn] = useState<Partial<Definition>>(() => (start ? changes(start, saved) : {}));
  const form = useMemo(() => ({ ...saved, ...own }), [saved, own]);
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [preview, setPreview] = useState<Preview>();
  const [busy, setBusy] = useState(false);
  const [browsing, setBrowsing] = useState(false);
  const formula = useRef<HTMLTextAreaElement>(null);
  const changed = !same(form, saved);
  const session = useSession();
  const levels = (session.slaNames ?? []).map(({ name, label }) => [name, label] as const);
  const usual = levels.find(([name]) => name === session.sla)?.[1];

  const set = <K extends keyof Definition>(field: K, value: Definition[K]) => {
    const next = { ...form, [field]: value };
    setOwn(changes(next, saved));
    onKeep(same(next, saved) ? undefined : next);
    setProblems((before) => ({ ...before, [field]: "" }));
  };

  useEffect(() => {
    let stopped = false;
    const timer = setTimeout(() => {
      const definition = whole(form);
      api.preview(definition).then(
        (answer) => {
          if (stopped) return;
          setPreview(answer);
          if (!changed && name !== "") return onDraft(undefined);
          onDraft({
            name: name || DRAFT,
            definition,
            metric: {
              name: name || DRAFT,
              label: form.label,
              format: form.format ?? "",
              increment: form.increment === true,
              asOf: null,
              ...answer,
            },
          });
        },
        () => undefined,
      );
    }, PREVIEW_MS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [form, changed, name, onDraft]);

  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
      onKeep(undefined);
      onClose();
    } catch (error) {
      const told = error instanceof api.ApiError ? byField(error.problems) : {};
      const message = error instanceof Error ? error.message : String(error);
      setProblems(Object.keys(told).length > 0 ? told : { "": message });
    } finally {
      setBusy(false);
    }
  };

  const pick = (path: string) => {
    const area = formula.current;
    const text = form.formula;
    const from = area?.selectionStart ?? text.length;
    const to = area?.selectionEnd ?? text.length;
    set("formula", text.slice(0, from) + path + text.slice(to));
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(from + path.length, from + path.length);
    });
  };

  const formulaError = problems.formula || previewError(preview);
  return (
    <Theme.Provider useCSSVariables>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void act(() =>
            name
              ? definitions.change(name, changes(whole(form), saved))
              : definitions.add(uniqueName(form.label, definitions.all), whole(form)),
          );
        }}
      >
        {start && changed && <p className="weak small">Unsaved changes from before are still here.</p>}
        <Field id="label" label="Label" error={problems.label}>
          <Input
            id="label"
            type="text"
            value={form.label}
            hasError={!!problems.label}
            aria-describedby="label-help"
            onChange={(event) => set("label", event.target.value)}
          />
        </Field>
        <Field
          id="formula"
          label="Formula"
          error={formulaError}
          help={preview && !formulaError ? `= ${preview.text}` : "An expression over data"}
        >
          <TextArea
            id="formula"
            ref={formula}
            value={form.formula}
            hasError={!!formulaError}
            aria-describedby="formula-help"
            spellCheck={false}
            onChange={(event) => set("formula", event.target.value)}
          />
        </Field>
        <div>
          <button
            type="button"
            className="link"
            aria-expanded={browsing}
            onClick={() => setBrowsing(!browsing)}
          >
            {browsing ? "Hide fields" : "Browse fields"}
          </button>
          {browsing && <FieldBrowser onPick={pick} />}
        </div>
        <div className="pair">
          <Field id="format" label="Format" error={problems.format}>
            <Select
              id="format"
              value={form.format ?? ""}
              onChange={(event) => set("format", event.target.value)}
            >
              {[...FORMATS, ...unknown(form.format, FORMATS)].map(([format, words]) => (
                <Option key={format} value={format}>
                  {words}
                </Option>
              ))}
            </Select>
          </Field>
          <StyleField id="defaultStyle" label="Style" value={form.defaultStyle} onChange={set} />
        </div>
        {levels.length > 0 && (
          <Field
            id="slaName"
            label="Service level"
            error={problems.slaName}
            help="What sla(scope, threshold) is in this formula"
          >
            <Select
              id="slaName"
              value={form.slaName ?? ""}
              aria-describedby="slaName-help"
              onChange={(event) => set("slaName", event.target.value)}
            >
              <Option value="">{`Service's default${usual ? ` (${usual})` : ""}`}</Option>
              {[...levels, ...unknown(form.slaName, levels)].map(([name, words]) => (
                <Option key={name} value={name}>
                  {words}
                </Option>
              ))}
            </Select>
          </Field>
        )}
        <Checkbox
          id="increment"
          checked={form.increment === true}
          onChange={(event) => set("increment", event.target.checked)}
        >
          Counts up every second
        </Checkbox>
        <div className="pair">
          <Field id="firstThresholdValue" label="First threshold" error={problems.firstThresholdValue}>
            <Input
              id="firstThresholdValue"
              type="text"
              inputMode="decimal"
              value={form.firstThresholdValue ?? ""}
              hasError={!!problems.firstThresholdValue}
              aria-describedby="firstThresholdValue-help"
              onChange={(event) => set("firstThresholdValue", event.target.value)}
            />
          </Field>
          <StyleField
            id="firstThresholdStyle"
            label="First style"
            value={form.firstThresholdStyle}
            onChange={set}
          />
        </div>
        <div className="pair">
          <Field id="secondThresholdValue" label="Second threshold" error={problems.secondThresholdValue}>
            <Input
              id="secondThresholdValue"
              type="text"
              inputMode="decimal"
              value={form.secondThresholdValue ?? ""}
              hasError={!!problems.secondThresholdValue}
              aria-describedby="secondThresholdValue-help"
              onChange={(event) => set("secondThresholdValue", event.target.value)}
            />
          </Field>
          <StyleField
            id="secondThresholdStyle"
            label="Second style"
            value={form.secondThresholdStyle}
            onChange={set}
          />
        </div>
        <Checkbox
          id="invertThresholds"
          checked={form.invertThresholds === true}
          onChange={(event) => set("invertThresholds", event.target.checked)}
        >
          Low values are the bad ones
        </Checkbox>
        {problems[""] && (
          <p role="alert" className="field-error">
            {problems[""]}
          </p>
        )}
        <div className="form-end">
          <Button variant="primary" type="submit" loading={busy} disabled={!changed && name !== ""}>
            {name === "" ? "Add" : "Save"}
          </Button>
          <Button
            variant="secondary"
            type="button"
            onClick={() => {
              onKeep(undefined);
              onClose();
            }}
          >
            {changed ? "Drop changes" : "Cancel"}
          </Button>
          {name !== "" && (
            <Button
              variant="destructive_secondary"
              type="button"
              onClick={() => void act(() => definitions.remove(name))}
            >
              Remove
            </Button>
          )}
        </div>
      </form>
    </Theme.Provider>
  );
}

function Field(props: { id: string; label: string; error?: string; help?: string; children: ReactNode }) {
  const { id, label, error, help, children } = props;
  return (
    <div className="form-field">
      <Label htmlFor={id}>{label}</Label>
      {children}
      <div id={`${id}-help`} aria-live="polite">
        {error ? <HelpText variant="error">{error}</HelpText> : help ? <HelpText>{help}</HelpText> : null}
      </div>
    </div>
  );
}

type StyleKey = "defaultStyle" | "firstThresholdStyle" | "secondThresholdStyle";

function StyleField(props: {
  id: StyleKey;
  label: string;
  value: Style | undefined;
  onChange(field: StyleKey, style: Style): void;
}) {
  const { id, label, value, onChange } = props;
  const own = value && !PRESETS.some((style) => style.styleName === value.styleName) ? [value] : [];
  const all = [...PRESETS, ...own];
  return (
    <Field id={id} label={label}>
      <Select
        id={id}
        value={(value ?? USUAL[id])?.styleName}
        onChange={(event) => {
          const style = all.find((s) => s.styleName === event.target.value);
          if (style) onChange(id, style);
        }}
      >
        {all.map((style) => (
          <Option key={style.styleName} value={style.styleName}>
            {style.styleName}
          </Option>
        ))}
      </Select>
    </Field>
  );
}
