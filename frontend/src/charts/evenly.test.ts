import { describe, expect, it } from "vitest";
import { evenly, thin } from "./evenly";

describe("evenly spaced indices", () => {
  it("are all of few, and of many as many as wanted, with both ends", () => {
    expect(evenly(2, 5)).toEqual([0, 1]);
    expect(evenly(1000, 5)).toEqual([0, 250, 500, 749, 999]);
    expect(evenly(0, 5)).toEqual([]);
  });
});

describe("thin", () => {
  it("keeps the first and the last", () => {
    const all = Array.from({ length: 1000 }, (_, index) => index);
    expect(thin(all, 5)).toEqual([0, 250, 500, 749, 999]);
    expect(thin([1, 2], 5)).toEqual([1, 2]);
  });
});
