import { describe, expect, it, vi } from "vitest";
import { pageAddress } from "./page";
import { choice, integer, number, point, readQuery, text, writeQuery } from "./properties";
import { place } from "./router";

const PROPERTIES = {
  loss: text("softsort"),
  numerics: choice(["log_domain", "bce_loss"], "bce_loss"),
  tikhonov: number(0.1, 1e-9, 1e9),
  start: point(-1000, 1000),
  step: integer(100, 0, 100),
};

describe("the query of a page", () => {
  it("is read back as it was written, defaults left out", () => {
    const state = {
      loss: "neuralsort",
      numerics: "log_domain" as const,
      tikhonov: 1e-9,
      start: [-7, 0.3] as const,
      step: 100,
    };
    const search = writeQuery(PROPERTIES, state);
    expect(search).toBe("?loss=neuralsort&numerics=log_domain&tikhonov=1e-9&start=-7,0.3");
    expect(readQuery(PROPERTIES, search)).toEqual(state);
    expect(writeQuery(PROPERTIES, readQuery(PROPERTIES, ""))).toBe("");
  });

  it("falls back to the default where a value is broken or out of bounds, and there alone", () => {
    const broken = "?numerics=magic&tikhonov=1e99&start=1,2,3&step=-1&loss=cauchy_dsn&what=ever";
    expect(readQuery(PROPERTIES, broken)).toEqual({
      ...readQuery(PROPERTIES, ""),
      loss: "cauchy_dsn",
    });
    expect(readQuery(PROPERTIES, "?start=a,1&tikhonov=&step=1.5")).toEqual(
      readQuery(PROPERTIES, ""),
    );
  });

  it("follows the address to the settings and the settings to the address", () => {
    vi.useFakeTimers();
    const replaced: string[] = [];
    vi.stubGlobal("document", { baseURI: "http://lab/" });
    vi.stubGlobal("location", { href: "http://lab/three-numbers" });
    vi.stubGlobal("history", {
      replaceState: (_: null, __: string, url: URL) => replaced.push(url.href),
    });
    const page = pageAddress("three-numbers", PROPERTIES);
    const stop = page.follow();
    place.value = { path: "three-numbers", search: "?step=7&start=1,2" };
    expect([page.state.step.value, page.state.start.value]).toEqual([7, [1, 2]]);
    page.state.step.value = 8;
    page.set({ step: 9 });
    vi.advanceTimersByTime(1000);
    expect(replaced).toEqual(["http://lab/three-numbers?start=1,2&step=9"]);
    expect(page.place()).toEqual({ path: "three-numbers", search: "?start=1,2&step=9" });
    place.value = { path: "runs", search: "?step=3" };
    expect(page.state.step.value).toBe(9);
    page.state.step.value = 10;
    vi.advanceTimersByTime(1000);
    expect(replaced.length).toBe(1);
    stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
});
