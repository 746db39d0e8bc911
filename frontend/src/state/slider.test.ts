import { describe, expect, it } from "vitest";
import type { NumberField } from "./schema";
import { problemWith, sliderIndex, sliderValues } from "./slider";

function field(settings: Partial<NumberField>): NumberField {
  return {
    kind: "number",
    usedIf: {},
    key: "x",
    path: ["x"],
    title: "X",
    description: "",
    unit: "",
    nullable: false,
    default: 1,
    integer: false,
    scale: "linear",
    min: null,
    max: null,
    minExclusive: false,
    maxExclusive: false,
    ...settings,
  };
}

const tikhonov = field({ scale: "log", min: 1e-12, max: 1e9, default: 0.1 });

describe("sliderValues", () => {
  it("spans four decades to either side of a log default, in round values", () => {
    const values = sliderValues(tikhonov);
    expect(values[0]).toBe(1e-5);
    expect(values.at(-1)).toBe(1000);
    expect(values).toContain(0.1);
    expect(values).toContain(1e-4);
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  it("stays within the bounds", () => {
    const values = sliderValues(field({ scale: "log", min: 0, minExclusive: true, max: 2 }));
    expect(Math.min(...values)).toBeGreaterThan(0);
    expect(Math.max(...values)).toBe(2);
  });

  it("counts whole numbers one by one, and gives none for a seed", () => {
    expect(sliderValues(field({ integer: true, min: 2, max: 5 }))).toEqual([2, 3, 4, 5]);
    expect(sliderValues(field({ integer: true, min: 0, max: 2 ** 31 }))).toEqual([]);
  });

  it("gives only whole steps on a log scale of integers", () => {
    const values = sliderValues(
      field({ scale: "log", integer: true, min: 1, max: 1e6, default: 1000 }),
    );
    expect(values.every(Number.isInteger)).toBe(true);
    expect(values).toContain(15);
    expect(values).toContain(1000);
  });

  it("leaves out an excluded end", () => {
    const values = sliderValues(field({ min: 0, max: 1, maxExclusive: true }));
    expect(values[0]).toBe(0);
    expect(values.at(-1)).toBe(0.99);
  });
});

describe("sliderIndex", () => {
  it("finds each value again, and the nearest to a value between", () => {
    const values = sliderValues(tikhonov);
    values.forEach((value, index) => {
      expect(sliderIndex(tikhonov, values, value)).toBe(index);
    });
    expect(values[sliderIndex(tikhonov, values, 0.107)]).toBe(0.1);
    expect(values[sliderIndex(tikhonov, values, 1e8)]).toBe(1000);
  });
});

describe("problemWith", () => {
  it("says what would be right", () => {
    expect(problemWith(tikhonov, "0.5")).toBeNull();
    expect(problemWith(tikhonov, "0,5")).toBeNull();
    expect(problemWith(field({}), "−0.5")).toBeNull();
    expect(problemWith(field({}), "12,000")).toBe('needs a number, not "12,000"');
    expect(problemWith(tikhonov, "abc")).toBe('needs a number, not "abc"');
    expect(problemWith(tikhonov, "0")).toBe("must be at least 1e-12 and at most 1e9");
    expect(problemWith(field({ integer: true }), "1.5")).toBe("must be a whole number");
    expect(problemWith(field({}), " ")).toBe("needs a number");
    expect(problemWith(field({ nullable: true }), "")).toBeNull();
  });
});
