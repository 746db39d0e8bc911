import { describe, expect, it } from "vitest";
import { ColumnBuffer } from "../state/column";
import { fittingWidth, Smoothed, smoothed } from "./smooth";

function buffer(...values: number[]): ColumnBuffer {
  const made = new ColumnBuffer(4);
  for (const value of values) made.push(value);
  return made;
}

describe("Smoothed", () => {
  it("leaves a constant as it is from the first value on: the start is not pulled to zero", () => {
    expect([...new Smoothed(buffer(5, 5, 5), 10, false).upTo().values]).toEqual([5, 5, 5]);
  });

  it("is the weighted mean of the past", () => {
    // Width 3: each step back weighs half as much.
    const means = new Smoothed(buffer(1, 2, 4), 3, false).upTo().values;
    expect(means[0]).toBeCloseTo(1);
    expect(means[1]).toBeCloseTo((2 + 1 / 2) / (1 + 1 / 2));
    expect(means[2]).toBeCloseTo((4 + 2 / 2 + 1 / 4) / (1 + 1 / 2 + 1 / 4));
  });

  it("does not know the future", () => {
    const long = new Smoothed(buffer(1, 3, 2, 100), 5, false).upTo().values.slice(0, 3);
    expect([...new Smoothed(buffer(1, 3, 2), 5, false).upTo().values]).toEqual([...long]);
  });

  it("begins anew behind a gap", () => {
    const means = new Smoothed(buffer(9, 9, Number.NaN, 1), 50, false).upTo().values;
    expect(means[2]).toBeNaN();
    expect(means[3]).toBe(1);
  });

  it("averages logarithms on a log axis, so that a spike does not lift a stretch", () => {
    const values = buffer(...Array(50).fill(1), 1e6, ...Array(20).fill(1));
    const plain = new Smoothed(values, 20, false).upTo().at(70);
    const geometric = new Smoothed(values, 20, true).upTo().at(70);
    expect(plain).toBeGreaterThan(1000);
    expect(geometric).toBeLessThan(2);
    expect(new Smoothed(buffer(4, 4), 9, true).upTo().at(1)).toBeCloseTo(4);
  });

  it("waits out zeros on a log axis without losing what came before", () => {
    const means = new Smoothed(buffer(8, 0, 8), 9, true).upTo().values;
    expect(means[1]).toBeCloseTo(8);
    expect(means[2]).toBeCloseTo(8);
    expect(new Smoothed(buffer(0), 9, true).upTo().at(0)).toBeNaN();
  });

  it("continues where the source has grown", () => {
    const growing = buffer(1, 2, 3);
    const running = new Smoothed(growing, 4, false);
    running.upTo();
    growing.push(10);
    const atOnce = new Smoothed(buffer(1, 2, 3, 10), 4, false).upTo();
    expect([...running.upTo().values]).toEqual([...atOnce.values]);
  });

  it("refuses a width below one point", () => {
    expect(() => new Smoothed(buffer(1), 0, false)).toThrow("at least 1");
  });
});

describe("smoothed", () => {
  it("is the source itself for width 1", () => {
    const source = buffer(1, 2).column;
    expect(smoothed(source, 1, false)).toBe(source);
  });

  it("keeps what it has computed, for a few widths", () => {
    const source = buffer(1, 2).column;
    const first = smoothed(source, 5, false);
    expect(smoothed(source, 5, false)).toBe(first);
    expect(smoothed(source, 5, true)).not.toBe(first);
    for (const width of [6, 7, 8, 9]) smoothed(source, width, false);
    expect(smoothed(source, 5, false)).not.toBe(first);
    expect([...smoothed(source, 5, false).values]).toEqual([...first.values]);
  });
});

describe("fittingWidth", () => {
  it.each([
    [10, 1],
    [250, 2],
    [1_000, 10],
    [12_000, 100],
    [1_000_000, 100],
  ])("smooths a run of %i points over %i", (points, width) => {
    expect(fittingWidth(points)).toBe(width);
  });
});
