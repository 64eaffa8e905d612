import { useBoard } from "@taskrouter-sync/shared/live/react.tsx";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { Menu } from "@taskrouter-sync/shared/ui/Menu.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { useMemo, useState } from "react";
import { useSession } from "../../base/session.ts";
import { useHistoryText } from "../../locales/history/index.ts";
import { PRESETS, presetRange, type ReportQuery, STEPS, type Step } from "./query.ts";
import css from "./Report.module.css";

interface ControlsProps {
  query: ReportQuery;
  today: string;
  onChange(query: ReportQuery): void;
}

export function Controls({ query, today, onChange }: ControlsProps) {
  const text = useHistoryText();
  const words = text.report;
  // On a Monday this week is today: one of the two is chosen.
  const chosen = PRESETS.find((preset) => {
    const { from, until } = presetRange(preset, today);
    return from === query.from && until === query.until;
  });
  const set = (part: Partial<ReportQuery>) => onChange({ ...query, ...part });
  return (
    <>
      <fieldset className={css.presets}>
        <legend className={ui.srOnly}>{words.ranges}</legend>
        {PRESETS.map((preset) => {
          const range = presetRange(preset, today);
          const on = preset === chosen;
          return (
            <button key={preset} type="button" className="quiet" aria-pressed={on} onClick={() => set(range)}>
              {words.presets[preset]}
            </button>
          );
        })}
      </fieldset>
      <div className={css.fields}>
        <label>
          <span>{words.from}</span>
          <input
            type="datetime-local"
            className={controls.input}
            value={query.from}
            onChange={(event) => event.target.value && set({ from: event.target.value.slice(0, 16) })}
          />
        </label>
        <label>
          <span>{words.until}</span>
          <input
            type="datetime-local"
            className={controls.input}
            value={query.until}
            onChange={(event) => event.target.value && set({ until: event.target.value.slice(0, 16) })}
          />
        </label>
        <label>
          <span>{words.interval}</span>
          <select
            className={controls.input}
            value={query.step}
            onChange={(event) => set({ step: Number(event.target.value) as Step })}
          >
            {STEPS.map((step) => (
              <option key={step} value={step}>
                {words.steps[`${step}`]}
              </option>
            ))}
          </select>
        </label>
        <ChannelMenu channels={query.channels} onChange={(channels) => set({ channels })} />
        <QueueMenu queues={query.queues} onChange={(queues) => set({ queues })} />
      </div>
    </>
  );
}

interface ChannelMenuProps {
  channels: readonly string[];
  onChange(channels: string[]): void;
}

function ChannelMenu({ channels, onChange }: ChannelMenuProps) {
  const text = useHistoryText();
  const session = useSession();
  const label = (channel: string) => (channel === "all" ? text.report.overAll : channel);
  const choose = (channel: string, on: boolean) => {
    const next = on ? [...channels, channel] : channels.filter((one) => one !== channel);
    onChange(next.length > 0 ? next : ["all"]);
  };
  return (
    <Menu label={`${text.report.channels}: ${channels.map(label).join(", ")}`}>
      <fieldset>
        <legend className={ui.srOnly}>{text.report.channels}</legend>
        {["all", ...session.channels].map((channel) => (
          <label key={channel}>
            <input
              type="checkbox"
              checked={channels.includes(channel)}
              onChange={(event) => choose(channel, event.target.checked)}
            />
            {label(channel)}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}

interface QueueMenuProps {
  queues: readonly string[];
  onChange(queues: string[]): void;
}

const LISTED = 200;

function QueueMenu({ queues, onChange }: QueueMenuProps) {
  const words = useHistoryText().report;
  const board = useBoard();
  const [search, setSearch] = useState("");
  const known = useMemo(
    () =>
      [...(board?.queues.values() ?? [])]
        .map(({ sid, friendlyName }) => ({ sid, friendlyName }))
        .sort((a, b) => a.friendlyName.localeCompare(b.friendlyName)),
    [board?.queues],
  );
  const found = known.filter(({ friendlyName }) => friendlyName.toLowerCase().includes(search.toLowerCase()));
  const choose = (sid: string, on: boolean) =>
    onChange(on ? [...queues, sid] : queues.filter((one) => one !== sid));
  return (
    <Menu label={queues.length === 0 ? words.allQueues : words.someQueues(queues.length)}>
      <fieldset className={css.queues}>
        <legend className={ui.srOnly}>{words.queues}</legend>
        <input
          type="search"
          className={controls.input}
          placeholder={words.searchQueues}
          aria-label={words.searchQueues}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <button
          type="button"
          className={controls.link}
          disabled={queues.length === 0}
          onClick={() => onChange([])}
        >
          {words.allOfThem}
        </button>
        {found.slice(0, LISTED).map(({ sid, friendlyName }) => (
          <label key={sid}>
            <input
              type="checkbox"
              checked={queues.includes(sid)}
              onChange={(event) => choose(sid, event.target.checked)}
            />
            {friendlyName}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}
