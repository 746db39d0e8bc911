import { describe, expect, it } from "vitest";
import {
  drawable,
  EMPTY,
  extend,
  fraction,
  joined,
  linearTicks,
  logTicks,
  niceStep,
  rung,
  valueAt,
  xPlan,
  xText,
  yPlan,
  zoomed,
} from "./axes";

const FREE = [null, null] as const;
const texts = (ticks: { text: string }[]): string[] => ticks.map((tick) => tick.text);
const around = (...values: number[]) => extend(EMPTY, values);

describe("x axis", () => {
  it("ends at a rung, so that it holds still while a run goes on", () => {
    expect(xPlan(7440, false, 4).range).toEqual([0, 8000]);
    expect(xPlan(7990, false, 4).range).toEqual([0, 8000]);
    expect(xPlan(8001, false, 4).range).toEqual([0, 10000]);
    expect(xPlan(0, false, 4).range).toEqual([0, 10]);
  });

  it("ends where the run does", () => {
    expect(xPlan(6800, false, 4, 7000).range).toEqual([0, 7000]);
    expect(texts(xPlan(6800, false, 4, 7000).ticks)).toEqual(["0", "2,000", "4,000", "6,000"]);
  });

  it("shares its length out evenly among round numbers", () => {
    expect(texts(xPlan(8000, false, 2).ticks)).toEqual(["0", "4,000", "8,000"]);
    expect(texts(xPlan(12000, false, 4).ticks)).toEqual(["0", "3,000", "6,000", "9,000", "12,000"]);
    expect(texts(xPlan(1.5, false, 3).ticks)).toEqual(["0.0", "0.5", "1.0", "1.5"]);
  });

  it("fills at least four fifths with what is shown", () => {
    for (let end = 1; end < 3000; end = Math.ceil(end * 1.07)) {
      const [, last] = xPlan(end, false, 4).range;
      expect(last).toBeGreaterThanOrEqual(end);
      expect(end / last).toBeGreaterThan(0.74);
    }
  });

  it("gives step zero a place of its own on a log axis", () => {
    const plan = xPlan(10000, true, 6);
    expect(texts(plan.ticks)).toEqual(["0", "10", "100", "1,000", "10⁴"]);
    expect(fraction(plan, 0)).toBe(0);
    expect(fraction(plan, 1)).toBeGreaterThan(0);
    expect(fraction(plan, 10000)).toBeCloseTo(1);
  });

  it("says steps as counts and seconds as seconds", () => {
    expect(xText(7440, "step")).toBe("7,440");
    expect(xText(0.25, "seconds")).toBe("0.25 s");
  });
});

describe("linear value axis", () => {
  it("starts at zero when the data come near it, and ends on round numbers", () => {
    const plan = yPlan(around(2, 29.1), false, [0, 100]);
    expect(texts(plan.ticks)).toEqual(["0", "10", "20", "30"]);
    expect(plan.range[0]).toBeLessThanOrEqual(0);
    expect(plan.range[1]).toBeGreaterThan(29.1);
    expect(plan.range[1]).toBeLessThan(32);
  });

  it("does not start at zero when the data are far from it", () => {
    expect(yPlan(around(0.8, 1), false, [-1, 1]).range[0]).toBeGreaterThan(0.7);
  });

  it("has room around a single value, within bounds", () => {
    const constant = yPlan(around(1, 1), false, [-1, 1]);
    expect(fraction(constant, 1)).toBeGreaterThan(0.5);
    expect(fraction(constant, 1)).toBeLessThanOrEqual(1);
    const zero = yPlan(around(0), false, FREE);
    expect(fraction(zero, 0)).toBeCloseTo(0.5);
  });

  it("has an axis before there are data", () => {
    expect(texts(yPlan(EMPTY, false, [0, 100]).ticks).length).toBeGreaterThan(1);
    expect(texts(yPlan(EMPTY, true, FREE).ticks)).toEqual(["0"]);
  });

  it("never writes minus zero", () => {
    expect(texts(linearTicks(-1e-12, 1, 4))[0]).toBe("0.0");
  });
});

describe("log value axis", () => {
  it("covers what is above zero", () => {
    const plan = yPlan(around(0.06, 5300), true, FREE);
    expect(fraction(plan, 0.06)).toBeGreaterThan(0);
    expect(fraction(plan, 5300)).toBeLessThan(1);
    expect(plan.floor).toBeNull();
    expect(texts(plan.ticks)).toEqual(["1", "100", "10⁴"]);
  });

  it("draws zeros on a line of their own, below every value", () => {
    const plan = yPlan(around(0, 0.01, 1), true, FREE);
    expect(plan.ticks[0]?.text).toBe("0");
    expect(drawable(plan, 0)).toBe(plan.floor);
    expect(fraction(plan, 0)).toBeGreaterThanOrEqual(0);
    expect(fraction(plan, 0)).toBeLessThan(fraction(plan, 0.01));
    expect(drawable(plan, 0.5)).toBe(0.5);
  });

  it("says that values below zero are there too", () => {
    expect(yPlan(around(-1, 1), true, FREE).ticks[0]?.text).toBe("≤ 0");
  });

  it("has few ticks over any range", () => {
    for (const [low, high] of [
      [-12, 6],
      [-3, 1],
      [-1, 0.4],
      [-0.5, 0.1],
      [0.1, 0.3],
      [2, 2.05],
    ] as const) {
      const ticks = logTicks(low, high, 5);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThanOrEqual(6);
      for (const { value } of ticks) {
        expect(Math.log10(value)).toBeGreaterThan(low - 1e-6);
        expect(Math.log10(value)).toBeLessThan(high + 1e-6);
      }
    }
  });
});

describe("helpers", () => {
  it("finds rungs and round steps", () => {
    expect([1, 1.1, 7, 9, 99, 0.013].map(rung)).toEqual([1, 1.2, 8, 10, 100, 0.015]);
    expect([0.7, 1, 1.2, 3, 6].map(niceStep)).toEqual([1, 1, 2, 5, 10]);
  });

  it("has fraction and valueAt undo each other", () => {
    for (const plan of [yPlan(around(3, 70), false, FREE), yPlan(around(3, 70), true, FREE)]) {
      expect(valueAt(plan, fraction(plan, 42))).toBeCloseTo(42);
    }
  });

  it("ignores what is not finite in an extent", () => {
    expect(around(Number.NaN, Number.POSITIVE_INFINITY, 3, -1)).toEqual({
      low: -1,
      high: 3,
      positive: 3,
    });
  });

  it("joins extents, empty ones among them", () => {
    expect(joined([around(-2, 5), EMPTY, around(0.5, 1)])).toEqual(around(-2, 0.5, 1, 5));
    expect(joined([])).toEqual(EMPTY);
  });

  it("keeps to the range that was zoomed to", () => {
    const plan = zoomed(xPlan(10000, false, 4), [6000, 7000], 3);
    expect(plan.range).toEqual([6000, 7000]);
    expect(texts(plan.ticks)).toEqual(["6,000", "6,500", "7,000"]);
  });
});
