/** Alerts about the quality of calls: the latest, how many today, and by agent. */

import type { VoiceAlert } from "@taskrouter-sync/shared/api/types.ts";
import { clockTimeSeconds } from "@taskrouter-sync/shared/format/time.ts";
import { instant } from "@taskrouter-sync/shared/live/clock.ts";
import { useLive, useStaleSince } from "@taskrouter-sync/shared/live/react.tsx";
import { Age } from "@taskrouter-sync/shared/ui/Age.tsx";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { NoData } from "@taskrouter-sync/shared/ui/NoData.tsx";
import ui from "@taskrouter-sync/shared/ui/ui.module.css";
import { useInterval, useSession } from "../../base/session.ts";
import { useFirst } from "../../base/useFirst.tsx";
import { usePageText } from "../../locales/index.ts";

/** Agents that are listed at first: on narrow screens the latest alerts stand below them. */
const FEW = 10;

export default function CallQuality() {
  const text = usePageText().callQuality;
  const voice = useLive((state) => state.board?.voice);
  const interval = useInterval();
  const staleSince = useStaleSince();
  const agents = [...(voice?.agents ?? [])].sort(
    (a, b) => b.today - a.today || a.agent.localeCompare(b.agent),
  );
  const { first, more } = useFirst(agents, FEW, agents.length);
  const most = Math.max(1, ...agents.map((one) => one.today));
  return (
    <section aria-labelledby="voice-title" className={staleSince === undefined ? "view" : "view stale"}>
      <div className="bar">
        <h2 id="voice-title">{text.title}</h2>
        {voice && (
          <span className={controls.note} data-tip={text.tip(interval)}>
            <strong data-testid="voice-today">{voice.today}</strong> {text.today}
          </span>
        )}
      </div>
      {voice ? (
        <div className="voice">
          <section aria-labelledby="voice-agents">
            <h3 id="voice-agents">{text.byAgent(interval)}</h3>
            {agents.length === 0 ? (
              <p className={ui.weak}>{text.noneToday}</p>
            ) : (
              <ul className="voice-agents">
                {first.map(({ agent, today }) => (
                  <li key={agent}>
                    <span className="person">{agent || <NoData reason={text.notReported} />}</span>
                    <meter min={0} max={most} value={today} aria-label={text.of(agent)} />
                    <span className="num">{today}</span>
                  </li>
                ))}
              </ul>
            )}
            {more}
          </section>
          <section aria-labelledby="voice-recent">
            <h3 id="voice-recent">{text.latest}</h3>
            <Recent alerts={voice.recent} staleSince={staleSince} />
          </section>
        </div>
      ) : (
        <p className="empty">{voice === undefined ? text.waiting : text.none}</p>
      )}
    </section>
  );
}

function Recent({ alerts, staleSince }: { alerts: readonly VoiceAlert[]; staleSince: number | undefined }) {
  const { columns, notReported, latestTable, noneRecent } = usePageText().callQuality;
  const { timeZone } = useSession();
  if (alerts.length === 0) return <p className={ui.weak}>{noneRecent}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
    <div className="scroll-x" tabIndex={0} role="region" aria-label={latestTable}>
      <table className="plain cards">
        <thead>
          <tr>
            <th scope="col">{columns.at}</th>
            <th scope="col" className="num">
              {columns.age}
            </th>
            <th scope="col">{columns.agent}</th>
            <th scope="col">{columns.issues}</th>
            <th scope="col">{columns.caller}</th>
            <th scope="col">{columns.called}</th>
            <th scope="col">{columns.action}</th>
          </tr>
        </thead>
        <tbody>
          {keyed(alerts).map(([key, alert]) => {
            const at = instant(alert.at);
            return (
              <tr key={key}>
                <th scope="row">
                  {at === undefined ? <NoData reason={notReported} /> : clockTimeSeconds(at, timeZone)}
                </th>
                <td className="num" data-label={columns.age}>
                  {at === undefined ? <NoData reason={notReported} /> : <Age since={at} until={staleSince} />}
                </td>
                <td className="words" data-label={columns.agent}>
                  {alert.agent || <NoData reason={notReported} />}
                </td>
                <td className="words wide" data-label={columns.issues}>
                  {alert.issues || <NoData reason={notReported} />}
                </td>
                <td data-label={columns.caller}>{alert.callerId || <NoData reason={notReported} />}</td>
                <td data-label={columns.called}>{alert.dnis || <NoData reason={notReported} />}</td>
                <td className="words" data-label={columns.action}>
                  {alert.action}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Two alerts may look alike; the older keeps its key when a newer arrives. */
function keyed(alerts: readonly VoiceAlert[]): [string, VoiceAlert][] {
  const seen = new Map<string, number>();
  return [...alerts]
    .reverse()
    .map((alert): [string, VoiceAlert] => {
      const name = `${alert.at} ${alert.agent} ${alert.callerId}`;
      const n = (seen.get(name) ?? 0) + 1;
      seen.set(name, n);
      return [`${name} ${n}`, alert];
    })
    .reverse();
}
