import { cookieSession } from "@taskrouter-sync/shared/api/auth.ts";
import { createClient } from "@taskrouter-sync/shared/api/client.ts";
import { LANGUAGES, TextProvider } from "@taskrouter-sync/shared/locales/index.ts";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { RootBoundary } from "./base/Boundaries.tsx";
import { pageLanguage } from "./base/language.ts";
import { startTheme } from "./base/theme.ts";
import { PAGE_TEXTS, PageTextProvider } from "./locales/index.ts";
import "./tokens.css";
import "./style/index.css";

/** Addresses are relative: the service may be below a path of its host. */
function goToLogin(): void {
  if (!location.pathname.endsWith("/login")) location.assign("login");
}

startTheme();
const language = pageLanguage();
document.documentElement.lang = language;
const text = LANGUAGES[language];
const client = createClient({ auth: cookieSession(), onUnauthorized: goToLogin, text });
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <TextProvider value={text}>
        <PageTextProvider value={PAGE_TEXTS[language]}>
          <RootBoundary>
            <App client={client} />
          </RootBoundary>
        </PageTextProvider>
      </TextProvider>
    </StrictMode>,
  );
}
