/** What axe finds on a page once nothing moves any more. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** No animation that has an end is under way, and some frames have changed nothing. */
export const settled = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let quiet = 0;
        const changes = new MutationObserver(() => {
          quiet = 0;
        });
        changes.observe(document, { subtree: true, childList: true, attributes: true });
        const moves = (animation: Animation) =>
          animation.playState === "running" &&
          Number.isFinite(Number(animation.effect?.getComputedTiming().endTime));
        const frame = () => {
          quiet = document.getAnimations().some(moves) ? 0 : quiet + 1;
          if (quiet < 5) return requestAnimationFrame(frame);
          changes.disconnect();
          resolve();
        };
        requestAnimationFrame(frame);
      }),
  );

export async function violations(page: Page): Promise<string[]> {
  await settled(page);
  await page.evaluate(axe.source);
  return page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe
      .run({ exclude: [["audio"]] }, { rules: { "target-size": { enabled: true } } })
      .then((r) =>
        r.violations.map(
          (v) =>
            `${v.id}: ${v.nodes
              .map((n) => `${n.html.slice(0, 120)} ${n.any[0]?.message ?? ""}`)
              .slice(0, 3)
              .join(" | ")}`,
        ),
      ),
  );
}
