import { describe, expect, it } from "vitest";
import { quantile, sampleCount, shareAbove, shareBelow } from "./health";

const norms = {
  log10_edges: [-8, -7, -6, -5, 1, 2, 3],
  counts: [1, 2, 4, 8, 16, 32],
  zero: 3,
  non_finite: 5,
};
const total = 1 + 2 + 4 + 8 + 16 + 32 + 3 + 5;

describe("the norms of a batch", () => {
  it("count zero as vanished and the non-finite as exploded", () => {
    expect(sampleCount(norms)).toBe(total);
    expect(shareBelow(norms, -6)).toBeCloseTo((1 + 2 + 3) / total);
    expect(shareAbove(norms, 2)).toBeCloseTo((32 + 5) / total);
  });

  it("move with their limits", () => {
    expect(shareBelow(norms, -7)).toBeCloseTo((1 + 3) / total);
    expect(shareAbove(norms, 1)).toBeCloseTo((16 + 32 + 5) / total);
  });

  it("have quantiles, to a bin's middle", () => {
    expect(quantile(norms, 1)).toBeCloseTo(10 ** 2.5);
    expect(quantile({ ...norms, zero: 1000 }, 0.5)).toBe(0);
  });
});
