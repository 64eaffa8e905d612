/** Alerts about the quality of calls: the latest, how many today, and whose. */
import { Age, Dash } from "../Age.tsx";
import { clockTimeSeconds } from "../format.ts";
import { instant } from "../live/clock.ts";
import { useBoard, useFrozen } from "../live/store.ts";
import { interval, useSession } from "../shell/session.ts";
import type { VoiceAlert } from "../types.ts";

export default function Voice() {
  const board = useBoard();
  const session = useSession();
  const frozen = useFrozen();
  const voice = board?.voice;
  const agents = [...(voice?.agents ?? [])].sort(
    (a, b) => b.today - a.today || a.agent.localeCompare(b.agent),
  );
  const most = Math.max(1, ...agents.map((one) => one.today));
  return (
    <section aria-labelledby="voice-title" className={frozen === undefined ? "view" : "view frozen"}>
      <div className="bar">
        <h2 id="voice-title">Call quality alerts</h2>
        {voice && (
          <span className="weak note" data-tip={`Alerts that agents' browsers raised; ${interval(session)}`}>
            <strong data-testid="voice-today">{voice.today}</strong> today
          </span>
        )}
      </div>
      {voice ? (
        <div className="voice">
          <section aria-labelledby="voice-agents">
            <h3 id="voice-agents">By agent, {interval(session)}</h3>
            {agents.length === 0 ? (
              <p className="weak">None today.</p>
            ) : (
              <ul className="voice-agents">
                {agents.map(({ agent, today }) => (
                  <li key={agent}>
                    <span className="person">{agent}</span>
                    <meter min={0} max={most} value={today} aria-label={`Alerts of ${agent}`} />
                    <span className="num">{today}</span>
                  </li>
                ))}
              </ul>
            )}
          </section>
          <section aria-labelledby="voice-recent">
            <h3 id="voice-recent">Latest</h3>
            <Recent alerts={voice.recent} frozen={frozen} />
          </section>
        </div>
      ) : (
        <p className="empty">
          {board
            ? "No alert about a call so far. Agents' browsers raise them when a call was short, or bad for long: see “Voice-quality alerts” in the documentation on how to attach the rules to Flex."
            : "Waiting for the first numbers."}
        </p>
      )}
    </section>
  );
}

function Recent({ alerts, frozen }: { alerts: readonly VoiceAlert[]; frozen: number | undefined }) {
  const { timeZone } = useSession();
  if (alerts.length === 0) return <p className="weak">None is remembered.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Latest alerts">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">At</th>
            <th scope="col" className="num">
              Age
            </th>
            <th scope="col">Agent</th>
            <th scope="col">Issues</th>
            <th scope="col">Caller</th>
            <th scope="col">Called</th>
            <th scope="col">Done</th>
          </tr>
        </thead>
        <tbody>
          {keyed(alerts).map(([key, alert]) => {
            const at = instant(alert.at);
            return (
              <tr key={key}>
                <th scope="row">
                  {at === undefined ? <Dash reason="no time was told" /> : clockTimeSeconds(at, timeZone)}
                </th>
                <td className="num">{at !== undefined && <Age since={at} until={frozen} />}</td>
                <td>{alert.agent || <Dash reason="no agent was told" />}</td>
                <td className="voice-issues">{alert.issues}</td>
                <td>{alert.callerId || <Dash reason="no caller was told" />}</td>
                <td>{alert.dnis || <Dash reason="no called number was told" />}</td>
                <td>{alert.action}</td>
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
