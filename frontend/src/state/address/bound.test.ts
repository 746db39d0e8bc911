import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { chartChoices, landscapeSettings, theme, thresholds } from "../signals";
import { bound, boundBy, getBound, setBound } from "./bound";
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
