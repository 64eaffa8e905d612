/** The dialpad: a button in Flex's header, and a panel that places one call. Shown only where the service offers it. */
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import * as React from "react";
import { usePluginText } from "../locales/index.ts";
import { useRuntime, useSessionState } from "../ui/PluginScope.tsx";
import css from "../ui/plugin.module.css";
import { COUNTRIES, countryOf, e164 } from "./number.ts";
import { DialSocket, type DialState, isOver } from "./socket.ts";

export function Dialpad() {
  const { session, user, settings } = useRuntime();
  const { session: answered } = useSessionState();
  const text = usePluginText().dialpad;
  const [open, setOpen] = React.useState(false);
  const button = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => void session.ask(), [session]);
  const callerIds = answered.callerIds ?? [];
  if (callerIds.length === 0 || settings.service === undefined) return null;
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className={css.anchor}>
      <button
        type="button"
        ref={button}
        className={`${controls.button} ${css.open}`}
        aria-expanded={open}
        aria-haspopup="dialog"
        onClick={() => setOpen(!open)}
      >
        {text.open}
      </button>
      <Panel
        hidden={!open}
        callerIds={callerIds}
        service={settings.service}
        token={user.token}
        contactUri={user.contactUri}
        isAvailable={user.isAvailable}
        onClose={close}
      />
    </div>
  );
}

interface PanelProps {
  hidden: boolean;
  callerIds: readonly string[];
  service: string;
  token(): string;
  contactUri(): string | undefined;
  isAvailable(): boolean;
  onClose(): void;
}

/** It stays mounted while it is hidden: a call goes on. */
export function Panel({ hidden, callerIds, service, token, contactUri, isAvailable, onClose }: PanelProps) {
  const text = usePluginText().dialpad;
  const id = "taskrouter-sync-dialpad";
  const [dial, setDial] = React.useState<DialState>({ connection: "closed" });
  const [typed, setTyped] = React.useState("");
  const [country, setCountry] = React.useState(() => countryOf(callerIds[0] ?? "")?.id ?? "US");
  const [from, setFrom] = React.useState(callerIds[0] ?? "");
  const [problem, setProblem] = React.useState("");
  const first = React.useRef<HTMLInputElement>(null);
  const socket = React.useMemo(() => new DialSocket({ service, token, changed: setDial }), [service, token]);
  React.useEffect(() => () => socket.close(), [socket]);
  const over = isOver(dial.status);
  React.useEffect(() => {
    if (!hidden) socket.open();
    else if (over) socket.close();
  }, [hidden, over, socket]);
  React.useEffect(() => {
    if (!hidden) first.current?.focus();
  }, [hidden]);
  if (hidden) return null;

  const place = (event: React.FormEvent) => {
    event.preventDefault();
    const number = e164(
      typed,
      COUNTRIES.find((one) => one.id === country),
    );
    const contact = contactUri();
    if (!number) return setProblem(text.invalid);
    if (!contact) return setProblem(text.noContact);
    setProblem("");
    setTyped(number);
    socket.call(number, from, contact);
  };
  const status = dial.status ? (text.status[dial.status] ?? dial.status) : "";
  const trouble =
    problem ||
    dial.error ||
    (dial.problem && text[dial.problem]) ||
    (dial.connection === "lost" ? (over ? text.unreachable : text.lost) : "");
  return (
    <div
      className={css.dialpad}
      role="dialog"
      aria-labelledby={`${id}-title`}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <form className={css.form} onSubmit={place}>
        <h2 id={`${id}-title`}>{text.title}</h2>
        <label className={css.field}>
          {text.country}
          <select
            className={controls.input}
            value={country}
            onChange={(event) => setCountry(event.target.value)}
          >
            {COUNTRIES.map(({ id: name, code }) => (
              <option key={name} value={name}>
                {name} +{code}
              </option>
            ))}
          </select>
        </label>
        <div className={css.field}>
          <label htmlFor={`${id}-number`}>{text.number}</label>
          <input
            id={`${id}-number`}
            ref={first}
            className={controls.input}
            type="tel"
            autoComplete="off"
            value={typed}
            aria-describedby={`${id}-help`}
            aria-invalid={problem === text.invalid}
            onChange={(event) => {
              setTyped(event.target.value);
              setProblem("");
            }}
          />
          <span id={`${id}-help`} className={css.note}>
            {text.numberHelp}
          </span>
        </div>
        <label className={css.field}>
          {text.from}
          <select className={controls.input} value={from} onChange={(event) => setFrom(event.target.value)}>
            {callerIds.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <div className={css.row}>
          <button type="submit" className={`${controls.button} ${controls.primary}`} disabled={!over}>
            {text.call}
          </button>
          <button
            type="button"
            className={controls.button}
            disabled={over || !dial.callSid}
            onClick={() => socket.hangUp()}
          >
            {text.hangUp}
          </button>
          <button type="button" className={controls.button} onClick={onClose}>
            {text.close}
          </button>
        </div>
        <p role="status" className={css.note} data-testid="dial-status" data-status={dial.status}>
          {status}
        </p>
        {trouble && (
          <p role="alert" className={css.error}>
            {trouble}
          </p>
        )}
        {!over && !isAvailable() && <p className={css.note}>{text.unavailable}</p>}
      </form>
    </div>
  );
}
