/** What is wrong between the plugin and the service, in one sentence. */
import { useActiveSource } from "@taskrouter-sync/shared/live/react.tsx";
import * as React from "react";
import type { Trouble } from "../live/session.ts";
import { type PluginTexts, usePluginText } from "../locales/index.ts";
import { useRuntime, useSessionState } from "./PluginScope.tsx";
import css from "./plugin.module.css";

export function wordsOf(trouble: Trouble, text: PluginTexts["banner"], fromSync: boolean): string {
  switch (trouble.kind) {
    case "loading":
      return text.loading;
    case "unreachable":
      return fromSync ? text.fromSync : text.unreachable(location.origin);
    case "token":
      return text.token;
    case "role":
      return text.role;
    case "older":
      return text.older;
    case "no-address":
      return text.noAddress;
    case "refused":
      return text.refused(trouble.message);
  }
}

export function Banner() {
  const text = usePluginText().banner;
  const { settings } = useRuntime();
  const { trouble } = useSessionState();
  const fromSync = useActiveSource()?.kind === "sync";
  const words = settings.problem ?? (trouble && wordsOf(trouble, text, fromSync));
  return (
    <div role="status" data-testid="banner" data-trouble={trouble?.kind}>
      {words && <p className={css.banner}>{words}</p>}
    </div>
  );
}
