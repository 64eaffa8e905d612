import { describe, expect, it } from "vitest";
import { groupByActivity } from "./groupByActivity.ts";

describe("agents", () => {
  const worker = (friendly_name: string, activity_name: string, date_status_changed: string | null) => ({
    worker_sid: friendly_name,
    friendly_name,
    activity_name,
    date_status_changed,
  });
  it("groups by Activity, the longest first, unknown last", () => {
    const found = groupByActivity(
      [
        worker("a", "Break", null),
        worker("b", "Break", "2026-01-01T10:00:00Z"),
        worker("c", "Offline", null),
      ],
      "",
    );
    expect(found.map(([name, people]) => [name, people.map((w) => w.friendly_name)])).toEqual([
      ["Break", ["b", "a"]],
      ["Offline", ["c"]],
    ]);
  });
});
