/** What a browser complains about: console errors, exceptions, violations of the policy, and requests to other hosts. */
import type { Page } from "playwright-core";

/** Collects them in the list that is returned; `ours` are the beginnings of addresses that the page may ask. */
export async function collectComplaints(page: Page, ours: () => readonly string[]): Promise<string[]> {
  const complaints: string[] = [];
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (![...ours(), "data:"].some((place) => request.url().startsWith(place)))
      complaints.push(`foreign ${request.url()}`);
  });
  return complaints;
}
