import { describe, expect, it } from "vitest";
import { ColumnBuffer } from "../state/column";
import { MinMaxPyramid, pickLog, pyramidOf } from "./decimate";

function buffer(values: Iterable<number>): ColumnBuffer {
  const made = new ColumnBuffer(8);
  for (const value of values) made.push(value);
  return made;
}

function noise(length: number): number[] {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  });
}

describe("MinMaxPyramid", () => {
  it("gives everything where it fits", () => {
    expect(new MinMaxPyramid(buffer([3, 1, 2])).pick(0, 3, 10)).toEqual([0, 1, 2]);
  });

  it("gives nothing for an empty window", () => {
    expect(new MinMaxPyramid(buffer([1])).pick(1, 1, 10)).toEqual([]);
  });

  it.each([
    [100, 30],
    [10_000, 200],
    [12_345, 600],
    [100_000, 2000],
  ])("keeps %i values to %i points, ascending, with both ends", (length, points) => {
    const picked = new MinMaxPyramid(buffer(noise(length))).pick(0, length, points);
    expect(picked.length).toBeLessThanOrEqual(points);
    expect(picked.length).toBeGreaterThan(points / 8);
    expect(picked[0]).toBe(0);
    expect(picked.at(-1)).toBe(length - 1);
    expect(picked.every((index, at) => at === 0 || index > (picked[at - 1] as number))).toBe(true);
  });

  it("keeps points within the limit when every bucket has a gap", () => {
    const values = noise(50_000).map((value, index) => (index % 10 === 0 ? Number.NaN : value));
    expect(new MinMaxPyramid(buffer(values)).pick(0, 50_000, 500).length).toBeLessThanOrEqual(500);
  });

  it("never loses a spike, wherever it is", () => {
    for (const at of [0, 1, 777, 4_999, 9_998, 9_999]) {
      const values = noise(10_000);
      values[at] = 5300;
      const picked = new MinMaxPyramid(buffer(values)).pick(0, 10_000, 100);
      expect(picked).toContain(at);
    }
  });

  it("keeps a gap of a single value visible", () => {
    const values = noise(10_000);
    values[4321] = Number.NaN;
    expect(new MinMaxPyramid(buffer(values)).pick(0, 10_000, 100)).toContain(4321);
  });

  it("has the extremes of any window among its points", () => {
    const values = noise(5_000);
    const pyramid = new MinMaxPyramid(buffer(values));
    for (const [from, to] of [
      [0, 5_000],
      [13, 4_990],
      [1_001, 3_333],
    ] as const) {
      const picked = pyramid.pick(from, to, 60).map((index) => values[index] as number);
      const inside = values.slice(from, to);
      expect(Math.max(...picked)).toBe(Math.max(...inside));
      expect(Math.min(...picked)).toBe(Math.min(...inside));
    }
  });

  it("gives the same after growing as if made at once", () => {
    const values = noise(3_000);
    const growing = buffer([]);
    const pyramid = new MinMaxPyramid(growing);
    values.forEach((value, index) => {
      growing.push(value);
      if (index % 97 === 0) pyramid.pick(0, growing.length, 50);
    });
    const atOnce = new MinMaxPyramid(buffer(values)).pick(0, 3_000, 50);
    expect(pyramid.pick(0, 3_000, 50)).toEqual(atOnce);
  });

  it("leaves points in place while more arrive at the same resolution", () => {
    const growing = buffer(noise(4_000));
    const pyramid = new MinMaxPyramid(growing);
    const before = pyramid.pick(0, 4_000, 600).slice(0, -4);
    for (const value of noise(200)) growing.push(value);
    expect(pyramid.pick(0, 4_200, 600).slice(0, before.length)).toEqual(before);
  });

  it("is made once for a column", () => {
    const of = buffer([1]).column;
    expect(pyramidOf(of)).toBe(pyramidOf(of));
  });
});

describe("pickLog", () => {
  it("spends points where a logarithmic axis stretches", () => {
    const picked = pickLog(buffer(noise(100_000)).column, 0, 100_000, 400);
    const early = picked.filter((index) => index < 100).length;
    expect(early).toBeGreaterThan(40);
    expect(picked.length).toBeLessThanOrEqual(450);
    expect(picked.every((index, at) => at === 0 || index > (picked[at - 1] as number))).toBe(true);
  });
});
