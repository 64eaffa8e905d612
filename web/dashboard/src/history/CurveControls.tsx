/** What stands above a day's curve: which series, which day, how much of it. */
import { MEASURES, type Measure } from "@taskrouter-sync/shared/api/history.ts";
import { addDays } from "@taskrouter-sync/shared/format/localDays.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { useHistoryText } from "../locales/history/index.ts";
import css from "./history.module.css";

interface SeriesControlsProps {
  measure: Measure;
  channel: string;
  channels: readonly string[];
  onMeasure(measure: Measure): void;
  onChannel(channel: string): void;
}

export function SeriesControls({ measure, channel, channels, onMeasure, onChannel }: SeriesControlsProps) {
  const text = useHistoryText();
  return (
    <>
      <select
        className={controls.input}
        aria-label={text.curve.measure}
        value={measure}
        onChange={(event) => onMeasure(event.target.value as Measure)}
      >
        {MEASURES.map((one) => (
          <option key={one} value={one}>
            {text.curve.measures[one]}
          </option>
        ))}
      </select>
      <select
        className={controls.input}
        aria-label={text.channel}
        value={channel}
        onChange={(event) => onChannel(event.target.value)}
      >
        <option value="all">{text.allChannels}</option>
        {channels.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </>
  );
}

interface DayControlsProps {
  date: string;
  today: string;
  onDate(date: string): void;
}

export function DayControls({ date, today, onDate }: DayControlsProps) {
  const words = useHistoryText().curve;
  return (
    <span className={css.group}>
      <Step label={words.earlier} onClick={() => onDate(addDays(date, -1))}>
        ‹
      </Step>
      <input
        type="date"
        className={controls.input}
        aria-label={words.day}
        value={date}
        max={today}
        onChange={(event) => event.target.value && onDate(event.target.value)}
      />
      <Step label={words.later} disabled={date >= today} onClick={() => onDate(addDays(date, 1))}>
        ›
      </Step>
    </span>
  );
}

interface ZoomControlsProps {
  zoomed: boolean;
  onZoom(factor: number): void;
  onWhole(): void;
}

export function ZoomControls({ zoomed, onZoom, onWhole }: ZoomControlsProps) {
  const words = useHistoryText().curve;
  return (
    <span className={css.group}>
      <Step label={words.zoomIn} onClick={() => onZoom(0.5)}>
        +
      </Step>
      <Step label={words.zoomOut} disabled={!zoomed} onClick={() => onZoom(2)}>
        −
      </Step>
      <button type="button" className={controls.button} disabled={!zoomed} onClick={onWhole}>
        {words.wholeDay}
      </button>
    </span>
  );
}

interface StepProps {
  label: string;
  disabled?: boolean;
  onClick(): void;
  children: string;
}

function Step({ label, disabled = false, onClick, children }: StepProps) {
  return (
    <button
      type="button"
      className={controls.button}
      aria-label={label}
      disabled={disabled}
      onClick={onClick}
    >
      <span aria-hidden="true">{children}</span>
    </button>
  );
}
