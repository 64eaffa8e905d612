import * as React from "react";
import controls from "./controls.module.css";

/** A button with a panel below it; Escape, a click outside, and leaving it with the keyboard close it. */
export function Menu({ label, children }: { label: string; children: React.ReactNode }) {
  const menu = React.useRef<HTMLDetailsElement>(null);
  React.useEffect(() => {
    const close = () => menu.current?.removeAttribute("open");
    const outside = (event: Event) => {
      if (event.target instanceof Node && !menu.current?.contains(event.target)) close();
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !menu.current?.open) return;
      close();
      menu.current.querySelector("summary")?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("keydown", key);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("keydown", key);
    };
  }, []);
  return (
    <details className={controls.menu} ref={menu}>
      <summary className={controls.button}>{label}</summary>
      <div className={controls.menuBody}>{children}</div>
    </details>
  );
}
