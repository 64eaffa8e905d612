/**
 * One tip for the whole page: whatever carries `data-tip` says where its number comes from, on hover and on focus.
 * `data-as-of` (service's clock, milliseconds) says when it was read; its age counts while one looks.
 * A thousand rows cost nothing, because only this one listens.
 */
import { useEffect, useRef, useState } from "react";
import { clockTimeSeconds, span } from "../format.ts";
import { age } from "../live/clock.ts";
import { useFrozen, useSecond } from "../live/store.ts";
import { useSession } from "./session.ts";

interface Shown {
  text: string;
  asOf: number | undefined;
  left: number;
  top: number;
  above: boolean;
}

export function Tip() {
  const [shown, setShown] = useState<Shown>();
  const owner = useRef<Element | null>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      owner.current?.removeAttribute("aria-describedby");
      owner.current = null;
      setShown(undefined);
    };
    const show = (target: EventTarget | null, delay: number) => {
      const element = target instanceof Element ? target.closest("[data-tip]") : null;
      if (element === owner.current) return;
      hide();
      if (!element) return;
      owner.current = element;
      timer = setTimeout(() => {
        const box = element.getBoundingClientRect();
        const above = box.bottom + 120 > innerHeight;
        setShown({
          text: element.getAttribute("data-tip") ?? "",
          asOf: Number(element.closest("[data-as-of]")?.getAttribute("data-as-of")) || undefined,
          left: Math.min(Math.max(8, box.left), Math.max(8, innerWidth - 328)),
          top: above ? box.top - 6 : box.bottom + 6,
          above,
        });
        element.setAttribute("aria-describedby", "tip");
      }, delay);
    };
    const over = (event: Event) => show(event.target, 350);
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
      id="tip"
      role="tooltip"
      className={shown.above ? "tip tip-above" : "tip"}
      style={{ left: shown.left, top: shown.top }}
    >
      {shown.text}
      {shown.asOf !== undefined && <ReadAt asOf={shown.asOf} />}
    </div>
  );
}

/** Values that did not change since are not told again: the moment is that of the last news. */
function ReadAt({ asOf }: { asOf: number }) {
  const { timeZone } = useSession();
  const now = useSecond() * 1000;
  const frozen = useFrozen();
  return (
    <>
      {`\nLast news read at ${clockTimeSeconds(asOf, timeZone)}, ${span(age(asOf, now))} ago`}
      {frozen === undefined ? "; unchanged since, as far as is known." : "; may have changed since."}
    </>
  );
}
