/**
 * One tooltip for the whole page: what carries `data-tip` shows where its number comes from, on hover and on focus.
 * `data-as-of` (service's clock, milliseconds) adds when it was read. A thousand rows cost nothing, because only this one
 * listens. The pointer may move onto the tooltip; Escape closes it.
 */
import * as React from "react";
import { clockTimeSeconds } from "../format/time.ts";
import { age } from "../live/clock.ts";
import { useSecond, useStaleSince } from "../live/react.tsx";
import { useText } from "../locales/index.ts";
import css from "./ProvenanceTooltip.module.css";

const HOVER_MS = 350;
/** Long enough for the pointer to cross the gap between the number and its tooltip. */
const LEAVE_MS = 150;
const ID = "provenance-tooltip";

interface Shown {
  text: string;
  asOf: number | undefined;
  left: number;
  top: number;
  above: boolean;
}

function place(element: Element): Shown {
  const box = element.getBoundingClientRect();
  const above = box.bottom + 120 > innerHeight;
  return {
    text: element.getAttribute("data-tip") ?? "",
    asOf: Number(element.closest("[data-as-of]")?.getAttribute("data-as-of")) || undefined,
    left: Math.min(Math.max(8, box.left), Math.max(8, innerWidth - 328)),
    top: above ? box.top - 6 : box.bottom + 6,
    above,
  };
}

export function ProvenanceTooltip({ timeZone }: { timeZone?: string | undefined }) {
  const [shown, setShown] = React.useState<Shown>();
  const owner = React.useRef<Element | null>(null);
  const self = React.useRef<HTMLDivElement>(null);

  React.useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      owner.current?.removeAttribute("aria-describedby");
      owner.current = null;
      setShown(undefined);
    };
    const show = (target: EventTarget | null, delay: number) => {
      if (target instanceof Node && self.current?.contains(target)) {
        clearTimeout(timer);
        return;
      }
      const element = target instanceof Element ? target.closest("[data-tip]") : null;
      if (element === owner.current) {
        if (element && self.current) clearTimeout(timer);
        return;
      }
      if (!element) {
        if (!owner.current) return;
        clearTimeout(timer);
        timer = setTimeout(hide, self.current ? LEAVE_MS : 0);
        return;
      }
      hide();
      owner.current = element;
      timer = setTimeout(() => {
        setShown(place(element));
        element.setAttribute("aria-describedby", ID);
      }, delay);
    };
    const over = (event: Event) => show(event.target, HOVER_MS);
    const focus = (event: Event) => {
      if (event.target instanceof Element && event.target.matches(":focus-visible")) show(event.target, 0);
    };
    const key = (event: KeyboardEvent) => event.key === "Escape" && hide();
    document.addEventListener("mouseover", over);
    document.addEventListener("focusin", focus);
    document.addEventListener("focusout", hide);
    document.addEventListener("keydown", key);
    document.addEventListener("scroll", hide, true);
    return () => {
      document.removeEventListener("mouseover", over);
      document.removeEventListener("focusin", focus);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("keydown", key);
      document.removeEventListener("scroll", hide, true);
      clearTimeout(timer);
    };
  }, []);

  if (!shown) return null;
  return (
    <div
      id={ID}
      ref={self}
      role="tooltip"
      className={shown.above ? `${css.tooltip} ${css.above}` : css.tooltip}
      style={{ left: shown.left, top: shown.top }}
    >
      {shown.text}
      {shown.asOf !== undefined && <ReadAt asOf={shown.asOf} timeZone={timeZone} />}
    </div>
  );
}

/** A value that did not change is not sent again: the moment is that of the last change. */
function ReadAt({ asOf, timeZone }: { asOf: number; timeZone: string | undefined }) {
  const text = useText();
  const now = useSecond() * 1000;
  const stale = useStaleSince() !== undefined;
  const words = stale ? text.provenance.mayHaveChanged : text.provenance.lastChanged;
  return <>{`\n${words(clockTimeSeconds(asOf, timeZone), text.span(age(asOf, now)))}`}</>;
}
