import { expect, it } from "vitest";
import { viewOf } from "./view.ts";

it("knows its views, and takes anything else for the wallboard", () => {
  expect(viewOf("#/agents")).toBe("agents");
  for (const hash of ["", "#/", "#/constructor", "#/toString", "#/__proto__", "#/nowhere"])
    expect(viewOf(hash)).toBe("wallboard");
});
