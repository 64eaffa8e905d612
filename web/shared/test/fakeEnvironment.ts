import type { Environment } from "../live/environment.ts";
import type { LiveListener, LiveSource } from "../live/source.ts";

/** A browser whose network and visibility a test changes; its clock is the (faked) one of the process. */
export class FakeEnvironment implements Environment {
  private listeners = new Set<() => void>();
  private state = { online: true, visible: true };

  now = () => Date.now();
  online = () => this.state.online;
  visible = () => this.state.visible;
  onChange = (listener: () => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  become(next: Partial<FakeEnvironment["state"]>): void {
    Object.assign(this.state, next);
    for (const listener of this.listeners) listener();
  }
}

/** A source that a test speaks through. */
export class FakeSource implements LiveSource {
  starts = 0;
  running = 0;
  listener: LiveListener | undefined;
  cursors: (string | undefined)[] = [];

  start(listener: LiveListener, cursor?: { lastEventId: string }): () => void {
    this.starts += 1;
    this.running += 1;
    this.listener = {
      ...listener,
      event(event, id) {
        listener.event(event, id);
        if (cursor) cursor.lastEventId = id ?? "";
      },
      link: (link) => listener.link(link),
      activity: () => listener.activity(),
    };
    this.cursors.push(cursor?.lastEventId);
    listener.link({ state: "connecting" });
    return () => {
      this.running -= 1;
    };
  }
}
