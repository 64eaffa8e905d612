/** What a browser complains about: console errors, exceptions, violations of the policy, and requests to other hosts. */
import type { Page } from "playwright-core";

const NEW_TO_HISTORY = /\/api\/history\/(metrics|queues)\//;

/** Collects them in the list that is returned; `ours` are the beginnings of addresses that the page may ask. */
export async function collectComplaints(page: Page, ours: () => readonly string[]): Promise<string[]> {
  const complaints: string[] = [];
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // The history does not know a tile or queue that was just made, and browsers log that answer.
    const unknown = NEW_TO_HISTORY.test(message.location().url) && / status of 404 /.test(message.text());
    if (!unknown) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (![...ours(), "data:"].some((place) => request.url().startsWith(place)))
      complaints.push(`foreign ${request.url()}`);
  });
  return complaints;
}
