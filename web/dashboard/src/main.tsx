import { cookieSession } from "@taskrouter-sync/shared/api/auth.ts";
import { createClient } from "@taskrouter-sync/shared/api/client.ts";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { RootBoundary } from "./base/Boundaries.tsx";
import { startTheme } from "./base/theme.ts";
import "./tokens.css";
import "./style.css";

/** Addresses are relative: the service may be below a path of its host. */
function goToLogin(): void {
  if (!location.pathname.endsWith("/login")) location.assign("login");
}

startTheme();
const client = createClient({ auth: cookieSession(), onUnauthorized: goToLogin });
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <RootBoundary>
        <App client={client} />
      </RootBoundary>
    </StrictMode>,
  );
}
