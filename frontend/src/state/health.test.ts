import { describe, expect, it } from "vitest";
import { healthOf } from "./health";

const histogram = {
  log10_edges: [-8, -7, -6, -5, 1, 2, 3],
  counts: [1, 2, 4, 8, 16, 32],
  zero: 3,
  non_finite: 5,
};

describe("healthOf", () => {
  it("counts zero as vanishing and non-finite as exploding", () => {
    const total = 1 + 2 + 4 + 8 + 16 + 32 + 3 + 5;
    const health = healthOf(histogram);
    expect(health.vanishing).toBeCloseTo((1 + 2 + 3) / total);
    expect(health.exploding).toBeCloseTo((32 + 5) / total);
  });

  it("moves with its thresholds", () => {
    expect(healthOf(histogram, 1e-7).vanishing).toBeCloseTo(4 / 71);
    expect(healthOf(histogram, 1e-6, 10).exploding).toBeCloseTo((16 + 32 + 5) / 71);
  });

  it("says nothing of an empty batch", () => {
    const empty = { log10_edges: [0, 1], counts: [0], zero: 0, non_finite: 0 };
    expect(healthOf(empty)).toEqual({ vanishing: 0, exploding: 0 });
  });
});
