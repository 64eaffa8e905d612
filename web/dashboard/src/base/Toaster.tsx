/** Notices at the foot of the page, one below the other. The live regions are always there, so that each is announced. */
import controls from "@taskrouter-sync/shared/ui/controls.module.css";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { usePageText } from "../locales/index.ts";

export interface Toast {
  kind: "status" | "error";
  text: string;
  action?: { label: string; run(): void };
}

export interface Toaster {
  /** Shows a notice in place of the one with the same id. */
  show(id: string, toast: Toast): void;
  dismiss(id: string): void;
}

const ToasterContext = createContext<Toaster | undefined>(undefined);

export function useToaster(): Toaster {
  const toaster = useContext(ToasterContext);
  if (!toaster) throw new Error("no toaster above");
  return toaster;
}

export function ToasterProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<ReadonlyMap<string, Toast>>(new Map());
  const dismiss = useCallback(
    (id: string) => setToasts((before) => new Map([...before].filter(([key]) => key !== id))),
    [],
  );
  const show = useCallback(
    (id: string, toast: Toast) =>
      setToasts((before) => new Map([...[...before].filter(([key]) => key !== id), [id, toast]])),
    [],
  );
  const toaster = useMemo(() => ({ show, dismiss }), [show, dismiss]);
  const region = (kind: Toast["kind"]) =>
    [...toasts].flatMap(([id, toast]) =>
      toast.kind === kind ? [<Notice key={id} toast={toast} onDismiss={() => dismiss(id)} />] : [],
    );
  return (
    <ToasterContext.Provider value={toaster}>
      {children}
      <div className="toaster">
        <div role="alert">{region("error")}</div>
        <div role="status">{region("status")}</div>
      </div>
    </ToasterContext.Provider>
  );
}

function Notice({ toast, onDismiss }: { toast: Toast; onDismiss(): void }) {
  const text = usePageText();
  const { action } = toast;
  return (
    <div className="notice" data-kind={toast.kind}>
      <span>{toast.text}</span>
      {action && (
        <button
          type="button"
          className={controls.link}
          onClick={() => {
            onDismiss();
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" className={controls.link} onClick={onDismiss}>
        {text.shell.dismiss}
      </button>
    </div>
  );
}
