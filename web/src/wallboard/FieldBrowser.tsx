import { useEffect, useState } from "react";
import { fields } from "../api.ts";
import { step } from "./draft.ts";

/** The fields of `data` with their current values; a click puts one into the formula. */
export function FieldBrowser({ onPick }: { onPick(path: string): void }) {
  const [tree, setTree] = useState<unknown>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    fields().then(setTree, (error: Error) => setTrouble(error.message));
  }, []);
  if (trouble) return <p className="field-error">{trouble}</p>;
  if (tree === undefined) return <p className="weak">Reading fields…</p>;
  return (
    <ul className="fields">
      <Branch value={tree} path="data" onPick={onPick} />
    </ul>
  );
}

function Branch({ value, path, onPick }: { value: unknown; path: string; onPick(path: string): void }) {
  if (value === null || typeof value !== "object") return null;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.slice(0, 20).map((v, i) => [i, v])
    : Object.entries(value);
  return entries.map(([key, child]) => {
    const here = step(path, key);
    if (child !== null && typeof child === "object") {
      const name = Array.isArray(value) ? named(child) : undefined;
      return (
        <li key={here}>
          <Fold label={`${key}${name ? ` ${name}` : ""}`}>
            <Branch value={child} path={here} onPick={onPick} />
          </Fold>
        </li>
      );
    }
    return (
      <li key={here}>
        <button type="button" className="field" onClick={() => onPick(here)}>
          <span>{key}</span>
          <span className="weak">{JSON.stringify(child)}</span>
        </button>
      </li>
    );
  });
}

function Fold({ label, children }: { label: string; children: React.ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="field" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>
          <span aria-hidden="true">{open ? "▾" : "▸"}</span> {label}
        </span>
      </button>
      {open && <ul className="fields">{children}</ul>}
    </>
  );
}

function named(value: object): string | undefined {
  const { friendlyName, friendly_name } = value as { friendlyName?: string; friendly_name?: string };
  return friendlyName ?? friendly_name;
}
