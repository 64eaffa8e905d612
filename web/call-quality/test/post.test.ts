import { describe, expect, it, vi } from "vitest";
import { postTo } from "../src/index.ts";

const ALERT = { issues: "short call", callerId: "+49301", dnis: "+49302", action: "log-call" };
const answer = (status: number, body: object = { data: "success" }) =>
  new Response(JSON.stringify(body), { status });
const pauses: number[] = [];
const pause = (ms: number) => {
  pauses.push(ms);
  return Promise.resolve();
};

describe("posting an alert", () => {
  it("sends JSON with the token of the moment", async () => {
    const send = vi.fn<typeof fetch>(async () => answer(200));
    let token = "first";
    const post = postTo("https://stats.example.com/", () => token, { fetch: send, pause });
    token = "second";
    await post(ALERT);
    const [address, init] = send.mock.calls[0] ?? [];
    expect(address).toBe("https://stats.example.com/respond-to-issue");
    expect(init).toMatchObject({
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
    });
    expect(JSON.parse(String(init?.body))).toEqual({ ...ALERT, Token: "second" });
  });

  it("tries again while the service is away, and then says so", async () => {
    pauses.length = 0;
    const away = vi
      .fn<typeof fetch>()
      .mockRejectedValueOnce(new Error("refused"))
      .mockResolvedValueOnce(answer(503));
    away.mockResolvedValueOnce(answer(200));
    await postTo("https://s", () => "t", { fetch: away, pause })(ALERT);
    expect([away.mock.calls.length, ...pauses]).toEqual([3, 1000, 2000]);
    const gone = vi.fn<typeof fetch>().mockRejectedValue(new Error("no network"));
    const lost = postTo("https://s", () => "t", { fetch: gone, pause })(ALERT);
    await expect(lost).rejects.toThrow("https://s/respond-to-issue does not answer: no network");
    expect(gone).toHaveBeenCalledTimes(3);
  });

  it("does not insist on what is refused", async () => {
    const send = vi.fn<typeof fetch>(async () => answer(422, { message: "There is no action `x`." }));
    const refused = postTo("https://s", () => "t", { fetch: send, pause })(ALERT);
    await expect(refused).rejects.toThrow("answered 422: There is no action `x`.");
    expect(send).toHaveBeenCalledTimes(1);
  });
});
