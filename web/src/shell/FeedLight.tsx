import { useLight, useRoute } from "../live/store.ts";

const MARK = { connecting: "◌", live: "●", "catching-up": "◐", stale: "▲", offline: "■" } as const;

/**
 * Shape, colour and words. Only the words without seconds are announced, so a screen reader hears changes alone. On
 * focus or hover it says by which way the numbers come; on a TV nobody asks.
 */
export function FeedLight({ silent = false }: { silent?: boolean }) {
  const light = useLight();
  const route = useRoute();
  const shown = (
    <>
      <span aria-hidden="true" className="light-mark">
        {MARK[light.kind]}
      </span>
      <span aria-hidden={silent} className="light-text">
        {light.text}
      </span>
    </>
  );
  return (
    <div
      className={`light light-${light.kind}`}
      data-testid="light"
      data-kind={light.kind}
      data-via={route?.via}
    >
      {silent ? (
        shown
      ) : (
        <button type="button" className="light-button" data-tip={[route?.why, ...light.more].join("\n")}>
          {shown}
        </button>
      )}
      <span className="sr" role="status" aria-live="polite">
        {light.said}
      </span>
    </div>
  );
}
