import { describe, expect, it } from "vitest";
import { Column } from "../state/column";
import { fittingWidth, Smoothed, smoothed } from "./smooth";

function column(...values: number[]): Column {
  const made = new Column(4);
  for (const value of values) made.push(value);
  return made;
}

describe("Smoothed", () => {
  it("leaves a constant as it is from the first value on: the start is not pulled to zero", () => {
    expect([...new Smoothed(column(5, 5, 5), 10, false).extended().values]).toEqual([5, 5, 5]);
  });

  it("is the weighted mean of the past", () => {
    // Width 3: each step back weighs half as much.
    const means = new Smoothed(column(1, 2, 4), 3, false).extended().values;
    expect(means[0]).toBeCloseTo(1);
    expect(means[1]).toBeCloseTo((2 + 1 / 2) / (1 + 1 / 2));
    expect(means[2]).toBeCloseTo((4 + 2 / 2 + 1 / 4) / (1 + 1 / 2 + 1 / 4));
  });

  it("does not know the future", () => {
    const long = new Smoothed(column(1, 3, 2, 100), 5, false).extended().values.slice(0, 3);
    expect([...new Smoothed(column(1, 3, 2), 5, false).extended().values]).toEqual([...long]);
  });

  it("begins anew behind a gap", () => {
    const means = new Smoothed(column(9, 9, Number.NaN, 1), 50, false).extended().values;
    expect(means[2]).toBeNaN();
    expect(means[3]).toBe(1);
  });

  it("averages logarithms on a log axis, so that a spike does not lift a stretch", () => {
    const values = column(...Array(50).fill(1), 1e6, ...Array(20).fill(1));
    const plain = new Smoothed(values, 20, false).extended().at(70);
    const geometric = new Smoothed(values, 20, true).extended().at(70);
    expect(plain).toBeGreaterThan(1000);
    expect(geometric).toBeLessThan(2);
    expect(new Smoothed(column(4, 4), 9, true).extended().at(1)).toBeCloseTo(4);
  });

  it("waits out zeros on a log axis without losing what came before", () => {
    const means = new Smoothed(column(8, 0, 8), 9, true).extended().values;
    expect(means[1]).toBeCloseTo(8);
    expect(means[2]).toBeCloseTo(8);
    expect(new Smoothed(column(0), 9, true).extended().at(0)).toBeNaN();
  });

  it("continues where the source has grown", () => {
    const growing = column(1, 2, 3);
    const running = new Smoothed(growing, 4, false);
    running.extended();
    growing.push(10);
    const atOnce = new Smoothed(column(1, 2, 3, 10), 4, false).extended();
    expect([...running.extended().values]).toEqual([...atOnce.values]);
  });

  it("refuses a width below one point", () => {
    expect(() => new Smoothed(column(1), 0, false)).toThrow("at least 1");
  });
});

describe("smoothed", () => {
  it("is the source itself for width 1", () => {
    const source = column(1, 2);
    expect(smoothed(source, 1, false)).toBe(source);
  });

  it("keeps what it has computed, for a few widths", () => {
    const source = column(1, 2);
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
