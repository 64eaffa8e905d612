import { messageOf } from "@taskrouter-sync/shared/api/errors.ts";
import type { Definition } from "@taskrouter-sync/shared/api/types.ts";
import { useEffect, useState } from "react";
import { useClient } from "../base/session.ts";
import { type PreviewState, withDefaults } from "./draft.ts";

/** Debounces typing: quick enough to feel live, without a request for every letter. */
const PREVIEW_MS = 300;

/** The result of the form's formula, or why there is none. A result never outlives the form it belongs to. */
export function usePreview(form: Definition): PreviewState {
  const client = useClient();
  const [state, setState] = useState<PreviewState>({ for: form, status: "pending" });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      client.preview(withDefaults(form), abort.signal).then(
        (preview) => !abort.signal.aborted && setState({ for: form, status: "answer", preview }),
        (error: unknown) =>
          !abort.signal.aborted && setState({ for: form, status: "error", message: messageOf(error) }),
      );
    }, PREVIEW_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [form, client]);
  return state.for === form ? state : { for: form, status: "pending" };
}
