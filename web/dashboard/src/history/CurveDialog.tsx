/** A day curve over the page, as wide as there is room; Escape closes it, and the focus returns to what opened it. */
import { useLayoutEffect, useRef } from "react";
import { useHistoryText } from "../locales/history/index.ts";
import { type CurveSubject, DayCurve } from "./DayCurve.tsx";
import css from "./history.module.css";

interface CurveDialogProps {
  subject: CurveSubject;
  onClose(): void;
}

export default function CurveDialog({ subject, onClose }: CurveDialogProps) {
  const text = useHistoryText();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const height = Math.round(Math.max(220, Math.min(900, innerHeight * 0.5)));

  // Closing gives the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    heading.current?.focus();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className={css.dialog}
      aria-labelledby="curve-title"
      onCancel={(event) => {
        event.preventDefault();
        // In React it would go on to the drawer's dialog.
        event.stopPropagation();
        onClose();
      }}
      // The drawer around it stays.
      onKeyDown={(event) => event.key === "Escape" && event.stopPropagation()}
    >
      <div className={css.dialogHead}>
        <h2 id="curve-title" ref={heading} tabIndex={-1}>
          {text.curve.title(subject.name)}
        </h2>
        <button type="button" className="quiet" onClick={onClose}>
          {text.close}
        </button>
      </div>
      <DayCurve subject={subject} height={height} />
    </dialog>
  );
}
