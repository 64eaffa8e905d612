/** Parts of a form on Paste's tokens. Native controls: 2 kB instead of the 117 kB (gzip) that Paste's cost the page. */
import { type ReactNode, type Ref, type TextareaHTMLAttributes, useId } from "react";

interface FieldProps {
  id: string;
  label: string;
  error?: string | undefined;
  help?: string | undefined;
  warning?: string | undefined;
  children: ReactNode;
}

export const helpId = (id: string) => `${id}-help`;

export function Field({ id, label, error, help, warning, children }: FieldProps) {
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      {children}
      <div id={helpId(id)} className="form-help" aria-live="polite">
        {error ? (
          <span className="field-error">{error}</span>
        ) : warning ? (
          <span className="field-warning">{warning}</span>
        ) : (
          help
        )}
      </div>
    </div>
  );
}

interface TextInputProps {
  id: string;
  value: string;
  invalid: boolean;
  decimal?: boolean;
  onChange(value: string): void;
}

export function TextInput({ id, value, invalid, decimal, onChange }: TextInputProps) {
  return (
    <input
      id={id}
      type="text"
      className="form-control"
      inputMode={decimal ? "decimal" : undefined}
      autoComplete="off"
      value={value}
      aria-invalid={invalid}
      aria-describedby={helpId(id)}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

type TextAreaProps = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange"> & {
  id: string;
  invalid: boolean;
  textRef: Ref<HTMLTextAreaElement>;
  onChange(value: string): void;
};

export function TextArea({ id, invalid, textRef, onChange, ...rest }: TextAreaProps) {
  return (
    <textarea
      {...rest}
      id={id}
      ref={textRef}
      className="form-control"
      rows={4}
      aria-invalid={invalid}
      aria-describedby={helpId(id)}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface SelectProps {
  id: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onChange(value: string): void;
}

/** A value that is not among the options stays as it is. */
export function Select({ id, value, options, onChange }: SelectProps) {
  const known = options.some(([one]) => one === value);
  return (
    <select
      id={id}
      className="form-control"
      value={value}
      aria-describedby={helpId(id)}
      onChange={(event) => onChange(event.target.value)}
    >
      {[...options, ...(known ? [] : [[value, value] as const])].map(([one, label]) => (
        <option key={one} value={one}>
          {label}
        </option>
      ))}
    </select>
  );
}

export function Checkbox(props: { checked: boolean; onChange(checked: boolean): void; children: ReactNode }) {
  const id = useId();
  return (
    <label className="form-check" htmlFor={id}>
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      {props.children}
    </label>
  );
}
