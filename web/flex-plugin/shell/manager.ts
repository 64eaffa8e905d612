/** The parts of Flex's manager that the plugin uses, each held to the type of the real one. */
import type { Manager } from "../src/flex/api.ts";

/** Who uses the shell, and what it may reach: `config.json`. */
export interface ShellConfig {
  service: string;
  token: string;
  identity: string;
  roles: string[];
  worker?: { sid: string; contactUri: string };
  /** As in Flex's configuration. */
  attributes?: Record<string, unknown>;
  language?: string;
  dark?: boolean;
  sync?: { token: string; endpoint: { cds: string; twilsock: string } };
}

type Listener = (...args: never[]) => void;

/** As much of an event emitter as the SDKs of Twilio have in common. */
export class Emitter {
  private readonly listeners = new Map<string, Listener[]>();

  on(event: string, listener: Listener): this {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return this;
  }

  removeListener(event: string, listener: Listener): this {
    this.listeners.set(
      event,
      (this.listeners.get(event) ?? []).filter((one) => one !== listener),
    );
    return this;
  }

  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) listener(...(args as never[]));
  }
}

type State = ReturnType<Manager["store"]["getState"]>["flex"];
type Worker = NonNullable<Manager["workerClient"]>;

export interface OfferedTask {
  sid: string;
  task: { taskChannelUniqueName: string; attributes: Record<string, unknown> };
}

export function shellManager(config: ShellConfig, insightsClient: unknown) {
  let token = config.token;
  const voiceClient = new Emitter();
  const worker = new Emitter();
  const attributes = config.worker ? { contact_uri: config.worker.contactUri } : {};
  const reservations = new Map<string, OfferedTask>();
  const workerClient = Object.assign(worker, {
    attributes: attributes satisfies Partial<Worker["attributes"]>,
    available: true satisfies Worker["available"],
    reservations,
  });
  const session = {
    identity: config.identity,
    get ssoTokenPayload() {
      return { token } satisfies Pick<State["session"]["ssoTokenPayload"], "token">;
    },
  };
  const flex = {
    session,
    config: { theme: { isLight: !config.dark } } satisfies Pick<State["config"], "theme">,
  };
  const parts = {
    user: {
      identity: config.identity,
      roles: config.roles,
      get token() {
        return token;
      },
    } satisfies Partial<Manager["user"]>,
    store: { getState: () => ({ flex }) },
    strings: {} as Record<string, string>,
    serviceConfiguration: { attributes: config.attributes ?? {} } satisfies Partial<
      Manager["serviceConfiguration"]
    >,
    localization: { localeTag: config.language ?? "en-US" } satisfies Partial<Manager["localization"]>,
    workerClient: config.worker ? workerClient : undefined,
    voiceClient,
    insightsClient,
  };
  const named: { [name in keyof typeof parts]: name extends keyof Manager ? unknown : never } = parts;
  void named;
  return {
    manager: parts as unknown as Manager,
    voiceClient,
    worker: workerClient,
    setToken(next: string) {
      token = next;
    },
  };
}
