import { signal } from "@preact/signals";
import { afterEach, describe, expect, it, vi } from "vitest";
import { chartChoices, landscapeSettings, theme, thresholds } from "../signals";
import { bound, boundBy, getBound, keepWritten, setBound } from "./bound";
import { applyView } from "./compare";
import { either, fitting, integer, readQuery, text, writeQuery } from "./properties";

describe("bound properties", () => {
  it("are read from the page and given to it; the others are left alone", () => {
    const size = signal(3);
    const words: string[] = [];
    const properties = {
      size: bound(integer(1, 0, 9), size),
      word: boundBy(
        text(),
        () => words.join(),
        (word) => void words.push(word),
      ),
      step: integer(0, 0, 9),
    };
    expect(getBound(properties)).toEqual({ size: 3, word: "" });
    setBound(properties, { size: 7, word: "b", step: 5 });
    expect([size.value, words]).toEqual([7, ["b"]]);
    expect(writeQuery(properties, getBound(properties))).toBe("?size=7&word=b");
  });

  it("can be one of two words, or what fits", () => {
    const properties = { deep: either("surface", "contour", false), size: fitting(text()) };
    expect(readQuery(properties, "?deep=surface&size=auto")).toEqual({ deep: true, size: null });
    expect(readQuery(properties, "?deep=what&size=a")).toEqual({ deep: false, size: "a" });
    expect(writeQuery(properties, { deep: true, size: "a" })).toBe("?deep=surface&size=a");
    expect(writeQuery(properties, { deep: false, size: null })).toBe("");
  });

  it("set the comparing page as a link has it, and back to the defaults", () => {
    theme.value = "dark";
    applyView("?vanishing=-3&charts=loss~own_loss~log&points=40&height=linear&plane=arms");
    expect(thresholds.value).toEqual({ vanishing: -3, exploding: 1 });
    expect(chartChoices.value).toEqual({ loss: { metric: "own_loss", log: true } });
    const { points, log, plane } = landscapeSettings;
    expect([points.value, log.value, plane.value]).toEqual([41, false, "arms"]);
    applyView("");
    expect([points.value, log.value, plane.value]).toEqual([41, true, null]);
    expect([chartChoices.value, thresholds.value.vanishing]).toEqual([{}, -6]);
    expect(theme.value).toBe("dark");
  });
});

describe("the address that is kept written", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  /** A browser's history, and the address that it is at. */
  function browser() {
    vi.useFakeTimers();
    const entries = ["http://lab/"];
    const current = { href: "http://lab/" };
    const enter = ({ href }: URL) => {
      current.href = href;
      entries.push(href);
    };
    vi.stubGlobal("document", { baseURI: "http://lab/" });
    vi.stubGlobal("location", current);
    vi.stubGlobal("history", {
      pushState: (_: null, __: string, url: URL) => enter(url),
      replaceState: (_: null, __: string, url: URL) => {
        entries.pop();
        enter(url);
      },
    });
    return { entries, current };
  }

  it("is written once the page has what it names, however long that takes", () => {
    const { current } = browser();
    let isLoading = true;
    const stop = keepWritten(() => "./?step=3", { isLoading: () => isLoading });
    vi.advanceTimersByTime(5000);
    expect(current.href).toBe("http://lab/");
    isLoading = false;
    vi.advanceTimersByTime(1000);
    expect(current.href).toBe("http://lab/?step=3");
    stop();
  });

  it("names a run at once, and never one that is gone when it is left", async () => {
    const { entries, current } = browser();
    const address = signal("runs/a");
    const stop = keepWritten(() => address.value, { isGone: (url) => url.includes("runs/b") });
    await Promise.resolve();
    expect(entries).toEqual(["http://lab/", "http://lab/runs/a"]);
    address.value = "runs/a?step=3";
    await Promise.resolve();
    expect(entries.length).toBe(2);
    vi.advanceTimersByTime(1000);
    expect(entries).toEqual(["http://lab/", "http://lab/runs/a?step=3"]);
    address.value = "runs/b";
    await Promise.resolve();
    address.value = "runs/c";
    await Promise.resolve();
    expect(entries).toEqual(["http://lab/", "http://lab/runs/a?step=3", "http://lab/runs/c"]);
    address.value = "runs/d";
    stop();
    await Promise.resolve();
    expect(current.href).toBe("http://lab/runs/c");
  });
});
