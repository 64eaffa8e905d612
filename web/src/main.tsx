import { createRoot } from "react-dom/client";
import { App } from "./shell/App.tsx";
import { applyTheme, storedTheme } from "./shell/theme.ts";
import "./tokens.css";
import "./style.css";

applyTheme(storedTheme());
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
