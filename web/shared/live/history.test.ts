import { describe, expect, it, vi } from "vitest";
import { append, join, MetricHistory, span } from "./history.ts";

describe("history", () => {
  it("keeps the last value of each ten seconds, and what a gap parts", () => {
    let points = append([], 10, 1);
    points = append(points, 19, 2);
    points = append(points, 20, 3);
    points = append(points, 22, null);
    points = append(points, 23, 4);
    expect(points.map(([t]) => t)).toEqual([19, 20, 22, 23]);
  });
  it("shows the same span in every curve: what is known, five minutes to four hours", () => {
    expect(span([], 1000)).toBe(300);
    expect(span([[[990, 1]], [[400, 1]], []], 1000)).toBe(600);
    expect(span([[[1, 1]]], 100_000)).toBe(4 * 3600);
  });
  it("replaces within a second, never goes back, keeps gaps", () => {
    let points = append([], 10, 1);
    points = append(points, 10, 2);
    points = append(points, 9, 5);
    points = append(points, 11, null);
    expect(points).toEqual([
      [10, 2],
      [11, null],
    ]);
  });
  it("joins the service's past with newer points of its own", () => {
    expect(
      join(
        [
          [1, 1],
          [5, 2],
        ],
        [
          [4, 9],
          [5, 9],
          [6, 3],
        ],
      ),
    ).toEqual([
      [1, 1],
      [5, 2],
      [6, 3],
    ]);
  });
});

describe("MetricHistory", () => {
  const metric = (value: number, second: number) => ({
    name: "waiting",
    label: "",
    value,
    text: "",
    format: "",
    style: { styleName: "", headlineColour: "", statColour: "", backgroundColour: "" },
    increment: false,
    asOf: new Date(second * 1000).toISOString(),
  });

  it("fills a gap from the service once the source is back", async () => {
    const read = vi.fn(async (): Promise<[number, number | null][]> => []);
    const history = new MetricHistory(read);
    await history.ask("waiting");
    history.push([metric(1, 100)], 100_000);
    history.gap(110_000);
    history.push([metric(4, 400)], 400_000);
    expect(history.of("waiting").map(([, value]) => value)).toEqual([1, null, 4]);
    read.mockResolvedValue([
      [100, 1],
      [200, 2],
      [300, 3],
      [390, 4],
    ]);
    history.refill();
    await vi.waitFor(() => expect(history.of("waiting").map(([t]) => t)).toEqual([100, 200, 300, 390, 400]));
    expect(history.of("waiting").every(([, value]) => value !== null)).toBe(true);
    history.refill();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("asks again after a failed answer", async () => {
    const read = vi.fn(async (): Promise<[number, number | null][]> => [[1, 1]]);
    read.mockRejectedValueOnce(new Error("away"));
    const history = new MetricHistory(read);
    await history.ask("waiting");
    await history.ask("waiting");
    expect(history.of("waiting")).toEqual([[1, 1]]);
  });
});
