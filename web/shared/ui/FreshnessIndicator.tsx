import * as React from "react";
import { useActiveSource, useFreshness } from "../live/react.tsx";
import { useText } from "../locales/index.ts";
import css from "./FreshnessIndicator.module.css";
import ui from "./ui.module.css";

const MARK = { connecting: "◌", live: "●", "catching-up": "◐", stale: "▲", offline: "■" } as const;

/**
 * Shape, colour and words. Only the words without seconds are announced, so that a screen reader hears changes alone.
 * On focus or hover it names the source; on a TV (`passive`) nothing can be focused.
 */
export function FreshnessIndicator({
  passive = false,
  className,
}: {
  passive?: boolean;
  className?: string;
}) {
  const freshness = useFreshness();
  const source = useActiveSource();
  const text = useText();
  const shown = (
    <>
      <span aria-hidden="true" className={css.mark}>
        {MARK[freshness.kind]}
      </span>
      <span aria-hidden={passive} data-part="freshness">
        {freshness.label}
      </span>
      {source && (
        <span className={css.source} data-part="source">
          {text.source.names[source.kind]}
        </span>
      )}
    </>
  );
  return (
    <div
      className={className ? `${css.indicator} ${className}` : css.indicator}
      data-testid="freshness"
      data-kind={freshness.kind}
      data-via={source?.kind}
    >
      {passive ? (
        shown
      ) : (
        <button
          type="button"
          className={css.button}
          data-tip={[source?.reason, ...freshness.details].filter(Boolean).join("\n")}
        >
          {shown}
        </button>
      )}
      <span className={ui.srOnly} role="status" aria-live="polite">
        {freshness.announcement}
      </span>
    </div>
  );
}
