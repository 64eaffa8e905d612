/**
 * The drawer's frame. Beside the wallboard where there is room; where it covers the screen it is modal, so that the
 * keyboard and screen readers stay inside. Focus returns where it was.
 */
import { type ReactNode, useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { usePageText } from "../locales/index.ts";

const COVERING = "(max-width: 999px)";

const useCovering = () =>
  useSyncExternalStore(
    (listener) => {
      const list = matchMedia(COVERING);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(COVERING).matches,
  );

interface DrawerFrameProps {
  title: string;
  onClose(): void;
  children: ReactNode;
}

export function DrawerFrame({ title, onClose, children }: DrawerFrameProps) {
  const text = usePageText().editor;
  const covering = useCovering();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    const before = document.activeElement;
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  useLayoutEffect(() => {
    const element = dialog.current;
    if (covering) element?.showModal();
    else element?.show();
    heading.current?.focus();
    return () => element?.close();
  }, [covering]);

  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-labelledby="drawer-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => event.key === "Escape" && !covering && onClose()}
    >
      <div className="drawer-head">
        <h2 id="drawer-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="quiet" onClick={onClose}>
          {text.close}
        </button>
      </div>
      {children}
    </dialog>
  );
}
