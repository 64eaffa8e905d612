import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { type ReactNode, useEffect, useState } from "react";
import { useClient } from "../base/session.ts";
import { usePageText } from "../locales/index.ts";
import { appendPath, elementPath } from "./draft.ts";

/** Longer lists are cut: their later elements are not picked by place. */
const ELEMENTS = 20;

/** The fields of `data` with their current values; a click puts one into the formula. */
export function FieldBrowser({ onPick }: { onPick(path: string): void }) {
  const client = useClient();
  const text = usePageText().editor;
  const [tree, setTree] = useState<unknown>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    client.fields(abort.signal).then(setTree, (error) => {
      if (!abort.signal.aborted) setTrouble(messageOf(error));
    });
    return () => abort.abort();
  }, [client]);
  if (trouble) return <p className="field-error">{trouble}</p>;
  if (tree === undefined) return <p className={ui.weak}>{text.readingFields}</p>;
  return (
    <ul className="fields">
      <Branch value={tree} path="data" onPick={onPick} />
    </ul>
  );
}

function Branch({ value, path, onPick }: { value: unknown; path: string; onPick(path: string): void }) {
  if (value === null || typeof value !== "object") return null;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.slice(0, ELEMENTS).map((v, i) => [i, v])
    : Object.entries(value);
  return (
    <>
      {entries.map(([key, child]) => {
        const here = typeof key === "number" ? elementPath(path, key, child) : appendPath(path, key);
        if (child !== null && typeof child === "object") {
          const name = Array.isArray(value) ? nameOf(child) : undefined;
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
              <span className={ui.weak}>{JSON.stringify(child)}</span>
            </button>
          </li>
        );
      })}
    </>
  );
}

function Fold({ label, children }: { label: string; children: ReactNode }) {
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

function nameOf(value: object): string | undefined {
  const { friendlyName, friendly_name } = value as { friendlyName?: unknown; friendly_name?: unknown };
  return [friendlyName, friendly_name].find((name): name is string => typeof name === "string");
}
