import { describe, expect, it } from "vitest";
import { EMPTY, extend, fraction } from "./axes";
import { signedAxis, signedLog } from "./signedLog";

const extents = (...curves: number[][]) => curves.map((values) => extend(EMPTY, values));

/** Where a value lies on the axis of these curves: 0 at its start, 1 at its end. */
function placing(...curves: number[][]): (value: number) => number {
  const { plan, transform } = signedAxis(extents(...curves));
  return (value) => fraction(plan, transform(value));
}

const texts = (...curves: number[][]): string[] =>
  signedAxis(extents(...curves)).plan.ticks.map(({ text }) => text);

describe("signedLog", () => {
  it("grows by one with every power of ten, to both sides", () => {
    expect(signedLog(1e5, 1) - signedLog(1e4, 1)).toBeCloseTo(1, 6);
    expect(signedLog(-7, 1)).toBe(-signedLog(7, 1));
    expect(signedLog(0, 1)).toBe(0);
  });

  it("goes on to the largest numbers, and keeps what is none", () => {
    expect(signedLog(1e308, 1e-300)).toBeCloseTo(608, 6);
    expect(signedLog(-1e308, 1e-5)).toBeCloseTo(-313, 6);
    expect(signedLog(Number.POSITIVE_INFINITY, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(signedLog(Number.NaN, 1)).toBeNaN();
  });
});

describe("signedAxis", () => {
  it.each([
    ["small alone", [[-3e-7, 2e-7]]],
    ["just below a power of ten", [[0.5, 9.99]]],
    ["just above one", [[-1.01e-9, 1.2e-10]]],
    ["a little below zero", [[-0.002, 50]]],
    ["over many decades", [[-1e-6, 1e-6], [2e4]]],
    ["below zero alone", [[-40, -3]]],
    ["nothing but zero", [[0, 0]]],
    ["nothing", []],
    ["the least number there is", [[5e-324]]],
    ["the largest one", [[-1.7e308, 1.7e308]]],
    ["curves that do not fit", [[3, 200], [1e188]]],
  ])("has three to seven ticks inside the range: %s", (_, curves) => {
    const { plan } = signedAxis(extents(...curves));
    expect(plan.ticks.length).toBeGreaterThanOrEqual(3);
    expect(plan.ticks.length).toBeLessThanOrEqual(7);
    expect(plan.ticks.map(({ text }) => text)).toContain("0");
    for (const tick of plan.ticks) {
      expect(fraction(plan, tick.value)).toBeGreaterThan(0);
      expect(fraction(plan, tick.value)).toBeLessThan(1);
    }
  });

  it("puts ticks at powers of ten, of the signs that there are", () => {
    expect(texts([-3, 3])).toEqual(["−1", "−0.01", "0", "0.01", "1"]);
    expect(texts([0, 3])).toEqual(["0", "10⁻³", "0.01", "0.1", "1"]);
    expect(texts([-3, 0])).toEqual(["−1", "−0.1", "−0.01", "−10⁻³", "0"]);
  });

  it("has fewer ticks where there is less room", () => {
    const { plan } = signedAxis(extents([1e-6], [1e4]), 4);
    expect(plan.ticks.length).toBeLessThanOrEqual(4);
    expect(plan.ticks.length).toBeGreaterThanOrEqual(3);
  });

  it("keeps a calm curve readable beside a wild one", () => {
    const place = placing([0.001, 0.5], [0, 1e7]);
    expect(place(0.5) - place(0.001)).toBeGreaterThan(0.15);
    expect(place(1e7)).toBeLessThan(1);
  });

  it("lets a curve far beyond the others leave the plot", () => {
    const place = placing([1, 2000], [0.5, 100], [2000, 1e188]);
    expect(place(2000)).toBeGreaterThan(0.6);
    expect(place(2000)).toBeLessThan(0.95);
    expect(place(2000) - place(0.5)).toBeGreaterThan(0.4);
    expect(place(1e188)).toBeGreaterThan(1);
    expect(texts([1, 2000], [0.5, 100], [2000, 1e188])).toEqual(["0", "1", "100", "10⁴"]);
  });

  it("leaves a vanishing curve on the line of zero", () => {
    const place = placing([1e-40], [0.1, 2]);
    expect(place(1e-40)).toBeCloseTo(place(0), 6);
    expect(place(2) - place(0.1)).toBeGreaterThan(0.2);
  });

  it("is not moved by curves of zeros and what is not finite", () => {
    const plain = signedAxis(extents([1, 5])).plan;
    const beside = extents([0, 0], [Number.NaN, Number.POSITIVE_INFINITY], [1, 5, Number.NaN]);
    expect(signedAxis(beside).plan).toEqual(plain);
  });
});
