/** The stand-in shell's page: a side navigation, views, Flex's Queues View in short, notifications, and a simulated call. */
import * as React from "react";
import * as ReactDOM from "react-dom";
import { Emitter, type OfferedTask, type ShellConfig, shellManager } from "./manager.ts";
import { ColumnDefinition, type StandIn, standIn, View } from "./standIn.tsx";

const QUEUES_VIEW = "queues-stats";

interface World {
  queues: { sid: string; friendly_name: string }[];
  tasks?: {
    channel: string;
    /** JSON. */
    attributes: string;
    reservations: { sid: string; worker: string; status: string }[];
  }[];
}

const json = async <T,>(address: string, init?: RequestInit): Promise<T> => {
  const answer = await fetch(address, init);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return (await answer.json()) as T;
};

function Shell({ flex, world, call }: { flex: StandIn; world: World; call(): void }) {
  const [view, setView] = React.useState(QUEUES_VIEW);
  React.useEffect(
    () =>
      flex.Actions.handle("NavigateToView", (payload) => setView((payload as { viewName: string }).viewName)),
    [flex],
  );
  const links = flex.SideNav.Content.use();
  const header = flex.MainHeader.Content.use();
  const views = flex.ViewCollection.Content.use();
  const notices = flex.Notifications.use();
  const shown = views.find(({ child }) => child.type === View && child.props.name === view);
  return (
    <div className="shell">
      <header>
        <strong>Stand-in for Flex</strong>
        <span className="header-end">
          <button type="button" onClick={call}>
            Simulate a bad call
          </button>
          {header.map(({ child }) => child)}
        </span>
      </header>
      <nav aria-label="Views">
        <flex.SideLink icon="" isActive={view === QUEUES_VIEW} onClick={() => setView(QUEUES_VIEW)}>
          Queues
        </flex.SideLink>
        {links.map(({ child }) => React.cloneElement(child, { activeView: view }))}
      </nav>
      <main>{shown ? shown.child : <QueuesView flex={flex} world={world} />}</main>
      <div role="log" aria-label="Notifications" className="notices">
        {notices.map((words, n) => (
          <p key={n}>{words}</p>
        ))}
      </div>
    </div>
  );
}

function QueuesView({ flex, world }: { flex: StandIn; world: World }) {
  const columns = flex.QueuesStats.QueuesDataTable.Content.use()
    .map(({ child }) => child)
    .filter((child) => child.type === ColumnDefinition);
  const tiles = flex.QueuesStats.AggregatedQueuesDataTiles.Content.use();
  return (
    <div className="queues-view">
      <h1>Queues</h1>
      <div className="queues-tiles">{tiles.map(({ child }) => child)}</div>
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            {columns.map((column) => (
              <th scope="col" key={column.key}>
                {column.props.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {world.queues.map(({ sid, friendly_name }) => (
            <tr key={sid} data-queue={sid}>
              <th scope="row">{friendly_name}</th>
              {columns.map((column) => (
                <td key={column.key} data-column={column.key}>
                  {column.props.content({ key: sid, friendly_name }, undefined)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A call of the Voice SDK in which nothing is heard. */
class SimulatedCall extends Emitter {
  readonly parameters = { From: "+15005550006", To: "client:agent" };
  status = () => "pending";
}

async function main(): Promise<void> {
  const config = await json<ShellConfig>("config.json");
  document.documentElement.lang = config.language?.split("-")[0] ?? "en";
  document.body.dataset.dark = String(Boolean(config.dark));
  const sync = config.sync && (await import("./syncClient.ts")).connect(config.sync);
  const { manager, voiceClient, worker, setToken } = shellManager(config, sync);
  const flex = standIn(() => manager.strings as unknown as Record<string, string>);
  const world = await json<World>("emulator/world");

  flex.Actions.handle("AcceptTask", async (payload) => {
    const { sid } = payload as { sid: string };
    await json("emulator/world", {
      method: "POST",
      body: JSON.stringify({ do: "accept", reservation: sid }),
    });
  });
  flex.Actions.handle("SelectTask", () => undefined);
  if (config.worker) void offerTasks(config.worker.sid, worker);

  const incoming = () => {
    const call = new SimulatedCall();
    voiceClient.emit("incoming", call);
    return call;
  };
  const badCall = () => {
    const call = incoming();
    call.emit("accept");
    call.emit("warning", "high-jitter", { values: [80, 90], threshold: { name: "max", value: 30 } });
    call.emit("disconnect");
  };
  const started: Promise<void>[] = [];
  Object.assign(globalThis, {
    React,
    ReactDOM,
    Twilio: {
      Flex: {
        Plugins: {
          init: (Plugin: new () => { init(flex: unknown, manager: unknown): Promise<void> }) =>
            void started.push(new Plugin().init(flex, manager)),
        },
      },
    },
    shell: { incoming, setToken, actions: flex.Actions.invoked, worker },
  });
  const { url } = await json<{ url: string }>(`${config.service}/flex-plugin.json`);
  await load(url);
  // As Flex does: nothing can be clicked before the plugins have started.
  await Promise.all(started);
  ReactDOM.render(<Shell flex={flex} world={world} call={badCall} />, document.getElementById("root"));
}

const load = (url: string) =>
  new Promise<void>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${url} can't be loaded`));
    document.head.append(script);
  });

/** The emulator has no TaskRouter SDK: what it offers to the Worker is looked up. */
async function offerTasks(
  workerSid: string,
  worker: ReturnType<typeof shellManager>["worker"],
): Promise<void> {
  const offered = new Set<string>();
  for (;;) {
    const { tasks = [] } = await json<World>("emulator/world").catch((): World => ({ queues: [] }));
    for (const { channel, attributes, reservations } of tasks) {
      for (const { sid, worker: owner, status } of reservations) {
        if (owner !== workerSid || status !== "pending" || offered.has(sid)) continue;
        offered.add(sid);
        const task = { taskChannelUniqueName: channel, attributes: JSON.parse(attributes) };
        const reservation: OfferedTask = { sid, task };
        worker.reservations.set(sid, reservation);
        worker.emit("reservationCreated", reservation);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

void main().catch((error: unknown) => {
  document.body.textContent = `The shell could not start: ${error}`;
});
