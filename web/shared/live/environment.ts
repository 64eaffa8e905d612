/** What the live data needs of a browser: its clock, whether it is online, and whether anyone can see the page. */
export interface Environment {
  now(): number;
  online(): boolean;
  visible(): boolean;
  /** Calls the listener when the network or the page's visibility changes; returns how to stop. */
  onChange(listener: () => void): () => void;
}

export function browserEnvironment(): Environment {
  return {
    now: () => Date.now(),
    online: () => navigator.onLine,
    visible: () => document.visibilityState !== "hidden",
    onChange(listener) {
      window.addEventListener("online", listener);
      window.addEventListener("offline", listener);
      document.addEventListener("visibilitychange", listener);
      return () => {
        window.removeEventListener("online", listener);
        window.removeEventListener("offline", listener);
        document.removeEventListener("visibilitychange", listener);
      };
    },
  };
}
