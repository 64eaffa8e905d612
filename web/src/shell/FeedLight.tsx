import { useLight } from "../live/store.ts";

const MARK = { connecting: "◌", live: "●", "catching-up": "◐", stale: "▲", offline: "■" } as const;

/** Shape, colour and words. Only the words without seconds are announced, so a screen reader hears changes alone. */
export function FeedLight() {
  const light = useLight();
  return (
    <div className={`light light-${light.kind}`} data-testid="light" data-kind={light.kind}>
      <span aria-hidden="true" className="light-mark">
        {MARK[light.kind]}
      </span>
      <span aria-hidden="true" className="light-text">
        {light.text}
      </span>
      <span className="sr" role="status" aria-live="polite">
        {light.said}
      </span>
    </div>
  );
}
