/** What is shown where a part of the page failed: the whole page, a view, or less. */

import { useText } from "@taskrouter-sync/shared/locales/index.ts";
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { renewFailedViews } from "./lazyView.tsx";

const FIRST_RELOAD_S = 30;
const LONGEST_RELOAD_S = 600;
const RELOADS = "taskrouter-sync.reloads";

/** Seconds until a TV reloads itself: longer after each failure, so that a broken page does not load the service. */
export const reloadDelay = (reloads: number) =>
  Math.min(LONGEST_RELOAD_S, FIRST_RELOAD_S * 2 ** Math.min(reloads, 10));

export const isTv = () => new URLSearchParams(location.search).get("tv") === "1";

export function RootBoundary({ children }: { children: ReactNode }) {
  return <ErrorBoundary fallback={() => <PageFailed />}>{children}</ErrorBoundary>;
}

function PageFailed() {
  const text = useText().errors;
  const [left, setLeft] = useState<number>();

  useEffect(() => {
    if (!isTv()) return undefined;
    const reloads = Number(sessionStorage.getItem(RELOADS)) || 0;
    let seconds = reloadDelay(reloads);
    setLeft(seconds);
    const timer = setInterval(() => {
      seconds -= 1;
      setLeft(seconds);
      if (seconds > 0) return;
      clearInterval(timer);
      sessionStorage.setItem(RELOADS, String(reloads + 1));
      location.reload();
    }, 1000);
    return () => clearInterval(timer);
  }, []);

  return (
    <main className="blank">
      <div role="alert" className="failed">
        <p>
          {text.app} {left !== undefined && text.reloadIn(left)}
        </p>
        <button type="button" className={controls.button} onClick={() => location.reload()}>
          {text.reload}
        </button>
      </div>
    </main>
  );
}

/** A view, drawer or list: the rest of the page goes on. */
export function PartBoundary({ children, resetKey }: { children: ReactNode; resetKey?: unknown }) {
  const text = useText().errors;
  const lastKey = useRef(resetKey);
  if (lastKey.current !== resetKey) {
    lastKey.current = resetKey;
    renewFailedViews();
  }
  return (
    <ErrorBoundary
      resetKey={resetKey}
      fallback={(_, reset) => (
        <div role="alert" className="failed">
          <p>{text.view}</p>
          <button
            type="button"
            className={controls.button}
            onClick={() => {
              renewFailedViews();
              reset();
            }}
          >
            {text.retry}
          </button>{" "}
          <button type="button" className={controls.button} onClick={() => location.reload()}>
            {text.reload}
          </button>
        </div>
      )}
    >
      {children}
    </ErrorBoundary>
  );
}
