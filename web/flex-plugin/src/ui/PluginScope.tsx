/** What stands around every part that the plugin puts into Flex: live data, texts, theme, and a boundary for errors. */
import { LiveProvider } from "@taskrouter-sync/shared/live/react.tsx";
import { TextProvider } from "@taskrouter-sync/shared/locales/index.ts";
import { ErrorBoundary } from "@taskrouter-sync/shared/ui/ErrorBoundary.tsx";
import { TokenScope } from "@taskrouter-sync/shared/ui/TokenScope.tsx";
import * as React from "react";
import { useSyncExternalStore } from "use-sync-external-store/shim";
import { themeOf } from "../flex/theme.ts";
import type { Runtime } from "../live/runtime.ts";
import type { SessionState } from "../live/session.ts";
import { LanguageProvider } from "../locales/index.ts";
import css from "./plugin.module.css";

const RuntimeContext = React.createContext<Runtime | undefined>(undefined);

export function useRuntime(): Runtime {
  const runtime = React.useContext(RuntimeContext);
  if (!runtime) throw new Error("no PluginScope above");
  return runtime;
}

export function useSessionState(): SessionState {
  const { session } = useRuntime();
  return useSyncExternalStore(session.subscribe, session.getState);
}

interface PluginScopeProps {
  runtime: Runtime;
  /** Whether this part needs live data. */
  live?: boolean;
  children?: React.ReactNode;
}

export function PluginScope({ runtime, live = true, children }: PluginScopeProps) {
  const { language } = runtime;
  const theme = themeOf(runtime.user.isLight());
  React.useEffect(() => (live ? runtime.hold() : undefined), [runtime, live]);
  const { partFailed, retry } = language.plugin.view;
  return (
    <RuntimeContext.Provider value={runtime}>
      <LanguageProvider value={language}>
        <TextProvider value={language.shared}>
          <LiveProvider value={runtime.live}>
            <ErrorBoundary
              fallback={(_, reset) => (
                <p role="alert">
                  {partFailed}{" "}
                  <button type="button" onClick={reset}>
                    {retry}
                  </button>
                </p>
              )}
            >
              <TokenScope theme={theme.name} tokens={theme.tokens} className={css.scope}>
                {children}
              </TokenScope>
            </ErrorBoundary>
          </LiveProvider>
        </TextProvider>
      </LanguageProvider>
    </RuntimeContext.Provider>
  );
}
