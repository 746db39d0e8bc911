import { describe, expect, it } from "vitest";
import { embedded, embedHref, hrefOf, placeOf, runIdOf } from "./router";

describe("placeOf", () => {
  it("reads a path below the base", () => {
    const base = "http://lab.test/";
    expect(placeOf("http://lab.test/", base)).toEqual({ path: "", search: "" });
    expect(placeOf("http://lab.test/runs/3f?step=4", base)).toEqual({
      path: "runs/3f",
      search: "?step=4",
    });
  });

  it("reads a path below a prefix", () => {
    const base = "http://lab.test/course/lab/";
    expect(placeOf("http://lab.test/course/lab/runs/", base).path).toBe("runs");
    expect(placeOf("http://lab.test/course/lab/", base).path).toBe("");
  });

  it("gives back what hrefOf wrote", () => {
    const base = "http://lab.test/x/";
    for (const to of [
      { path: "", search: "" },
      { path: "runs/a1", search: "?step=3&present" },
    ]) {
      expect(placeOf(new URL(hrefOf(to), base).href, base)).toEqual(to);
    }
  });
});

describe("a frame of another page", () => {
  it("shows what the page itself would, under an address of its own", () => {
    const base = "http://lab.test/x/";
    for (const to of [
      { path: "", search: "" },
      { path: "runs/a1", search: "?step=3" },
    ]) {
      expect(placeOf(new URL(embedHref(to), base).href, base)).toEqual(to);
      embedded.value = true;
      expect(hrefOf(to)).toBe(embedHref(to));
      embedded.value = false;
    }
    expect(placeOf("http://lab.test/x/embedded", base).path).toBe("embedded");
  });
});

describe("runIdOf", () => {
  it("knows a run's path from the list of runs", () => {
    expect(runIdOf("runs/3f")).toBe("3f");
    expect(runIdOf("runs")).toBeNull();
    expect(runIdOf("runs/3f/x")).toBeNull();
  });
});
