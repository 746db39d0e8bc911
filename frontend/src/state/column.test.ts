import { describe, expect, it } from "vitest";
import { ColumnBuffer, countUpToStep, lastUpToStep } from "./column";

describe("Column", () => {
  it("keeps every value while it grows", () => {
    const buffer = new ColumnBuffer(2);
    for (let i = 0; i < 1000; i++) buffer.push(i * 0.5);
    const { column } = buffer;
    expect(column.length).toBe(1000);
    expect(Array.from(column.values)).toEqual(Array.from({ length: 1000 }, (_, i) => i * 0.5));
  });

  it("stays as it is when its buffer grows", () => {
    const buffer = new ColumnBuffer(2);
    buffer.push(1);
    const before = buffer.column;
    expect(buffer.column).toBe(before);
    for (let i = 0; i < 9; i++) buffer.push(7);
    expect([...before.values]).toEqual([1]);
    expect(before.at(1)).toBeNaN();
    expect(before.countUpTo(100)).toBe(1);
    expect(buffer.column.length).toBe(10);
  });

  it("reads NaN outside, and pads with NaN", () => {
    const buffer = new ColumnBuffer();
    buffer.push(1);
    buffer.pad(3);
    const { column } = buffer;
    expect(Array.from(column.values)).toEqual([1, Number.NaN, Number.NaN]);
    expect(column.at(-1)).toBeNaN();
    expect(column.at(3)).toBeNaN();
  });

  it("counts values up to a limit like a scan does", () => {
    const buffer = new ColumnBuffer();
    const values = [0, 3, 3, 7, 12];
    for (const value of values) buffer.push(value);
    const { column } = buffer;
    for (let limit = -1; limit < 14; limit++) {
      expect(column.countUpTo(limit)).toBe(values.filter((value) => value <= limit).length);
    }
  });
});

describe("records by step", () => {
  const records = [0, 25, 50].map((step) => ({ step }));

  it("finds the last at or before a step", () => {
    expect(lastUpToStep(records, -1)).toBeUndefined();
    expect(lastUpToStep(records, 0)?.step).toBe(0);
    expect(lastUpToStep(records, 49)?.step).toBe(25);
    expect(countUpToStep(records, 50)).toBe(3);
    expect(countUpToStep([], 50)).toBe(0);
  });
});
