import { describe, expect, it } from "vitest";
import { SseParser } from "./sse.ts";

describe("SseParser", () => {
  const text = ': hello\r\nevent: change\r\nid: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: x\n\n: ping\n\n';
  it("reads events however the text is cut", () => {
    for (let size = 1; size <= text.length; size += 1) {
      const parser = new SseParser();
      const found = [];
      for (let i = 0; i < text.length; i += size) found.push(...parser.push(text.slice(i, i + size)));
      expect(
        found.map(({ event, data }) => [event, data]),
        `pieces of ${size}`,
      ).toEqual([
        ["change", '{"a":\n1}'],
        ["message", "x"],
      ]);
      expect(found[0]?.id).toBe("7");
    }
  });
});
