import type { Definition } from "@taskrouter-sync/shared/api/types.ts";
import { isSpan } from "@taskrouter-sync/shared/format/duration.ts";
import { limitOf, limitText } from "@taskrouter-sync/shared/wallboard/threshold.ts";
import type { ReactNode } from "react";
import { usePageText } from "../locales/index.ts";
import { Field, TextInput } from "../ui/Form.tsx";
import { clockSeconds } from "./draft.ts";

type LimitKey = "firstThresholdValue" | "secondThresholdValue";

interface ThresholdFieldsProps {
  form: Definition;
  problems: Readonly<Record<string, string>>;
  /** Which threshold never shows. */
  never: "first" | "second" | undefined;
  onChange(field: LimitKey, value: string): void;
  /** The field of a threshold's style. */
  children(id: "firstThresholdStyle" | "secondThresholdStyle", label: string): ReactNode;
}

/** Both thresholds with their styles. Limits are in the metric's unit; lengths of time may be typed as `5:00`. */
export function ThresholdFields({ form, problems, never, onChange, children }: ThresholdFieldsProps) {
  const text = usePageText().editor;
  const format = form.format ?? "";
  const help = (value: string | undefined): string | undefined => {
    const limit = (value === undefined ? undefined : clockSeconds(value)) ?? limitOf(value);
    if (isSpan(format))
      return limit === undefined ? text.limitSeconds : text.limitHelp(limitText(limit, format));
    return format === "percent" ? text.limitPercent : undefined;
  };
  const field = (id: LimitKey, label: string, warning: string | undefined) => (
    <Field id={id} label={label} error={problems[id]} warning={warning} help={help(form[id])}>
      <TextInput
        id={id}
        value={form[id] ?? ""}
        invalid={!!problems[id]}
        decimal
        onChange={(value) => onChange(id, value)}
      />
    </Field>
  );
  return (
    <>
      <div className="pair">
        {field("firstThresholdValue", text.first, never === "first" ? text.firstUnreachable : undefined)}
        {children("firstThresholdStyle", text.firstStyle)}
      </div>
      <div className="pair">
        {field("secondThresholdValue", text.second, never === "second" ? text.secondUnreachable : undefined)}
        {children("secondThresholdStyle", text.secondStyle)}
      </div>
    </>
  );
}
