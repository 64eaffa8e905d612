/**
 * A stand-in for Flex UI: the parts that the plugin uses, each held to the type of the real one. It has no sign-in and
 * reaches no account; a person or a test says who uses it and what happens.
 */
import * as React from "react";
import type { Flex } from "../src/flex/api.ts";

type Store = Flex["SideNav"]["Content"];
type Fragment = { child: React.ReactElement; options: Parameters<Store["add"]>[1] };

/** What plugins add to one place of Flex. */
export class Content implements Pick<Store, "add"> {
  fragments: readonly Fragment[] = [];
  private readonly listeners = new Set<() => void>();

  add(child: React.ReactElement, options?: Fragment["options"]): () => void {
    const fragment = { child, options };
    this.fragments = [...this.fragments, fragment];
    this.notify();
    return () => {
      this.fragments = this.fragments.filter((one) => one !== fragment);
      this.notify();
    };
  }

  use(): readonly Fragment[] {
    const [, draw] = React.useReducer((n: number) => n + 1, 0);
    React.useEffect(() => {
      this.listeners.add(draw);
      return () => void this.listeners.delete(draw);
    }, []);
    return this.fragments;
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}

type Action = (payload: unknown) => unknown;

class ActionsStandIn implements Pick<Flex["Actions"], "invokeAction"> {
  private readonly known = new Map<string, Action>();
  readonly invoked: { name: string; payload: unknown }[] = [];

  handle(name: string, action: Action): void {
    this.known.set(name, action);
  }

  async invokeAction(name: string, payload?: unknown): Promise<void> {
    this.invoked.push({ name, payload });
    const action = this.known.get(name);
    if (!action) throw new Error(`the stand-in has no action ${name}`);
    await action(payload);
  }
}

type Registered = Parameters<Flex["Notifications"]["registerNotification"]>[0];

class NotificationsStandIn
  implements Pick<Flex["Notifications"], "registerNotification" | "showNotification">
{
  private readonly registered = new Map<string, Registered>();
  private readonly listeners = new Set<() => void>();
  shown: readonly string[] = [];

  constructor(private readonly strings: () => Record<string, string>) {}

  registerNotification(notification: Registered): void {
    if (this.registered.has(notification.id)) throw new Error(`${notification.id} is registered already`);
    this.registered.set(notification.id, notification);
  }

  showNotification(id: string, context: object = {}): null {
    const found = this.registered.get(id);
    if (!found) throw new Error(`no notification ${id}`);
    const template = this.strings()[String(found.content)] ?? String(found.content);
    const words = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
      String((context as Record<string, unknown>)[name] ?? ""),
    );
    this.shown = [...this.shown, words];
    for (const listener of this.listeners) listener();
    return null;
  }

  use(): readonly string[] {
    const [, draw] = React.useReducer((n: number) => n + 1, 0);
    React.useEffect(() => {
      this.listeners.add(draw);
      return () => void this.listeners.delete(draw);
    }, []);
    return this.shown;
  }
}

type SideLinkProps = React.ComponentProps<Flex["SideLink"]>;

function SideLink({ children, isActive, onClick }: SideLinkProps) {
  return (
    <button type="button" aria-current={isActive ? "page" : undefined} onClick={() => onClick?.()}>
      {children}
    </button>
  );
}

type ViewProps = React.ComponentProps<Flex["View"]>;

export const View: React.FC<ViewProps> = ({ children }) => <>{children}</>;

type Column = React.ComponentProps<Flex["ColumnDefinition"]>;

/** Read by the table, and never drawn itself. */
export class ColumnDefinition extends React.Component<Column> {
  override render(): null {
    return null;
  }
}

/** What the plugin uses of Flex's namespace; a part that Flex does not have is an error of types here. */
export function standIn(strings: () => Record<string, string>) {
  const content = () => ({ Content: new Content() });
  const parts = {
    Actions: new ActionsStandIn(),
    Notifications: new NotificationsStandIn(strings),
    NotificationType: {
      information: "information",
      success: "success",
      warning: "warning",
      error: "error",
    } satisfies Record<keyof Flex["NotificationType"], string>,
    SideLink,
    SideNav: content(),
    View,
    ViewCollection: content(),
    MainHeader: content(),
    ColumnDefinition,
    QueuesStats: { QueuesDataTable: content(), AggregatedQueuesDataTiles: content() },
  };
  const named: { [name in keyof typeof parts]: name extends keyof Flex ? unknown : never } = parts;
  void named;
  return parts;
}

export type StandIn = ReturnType<typeof standIn>;
