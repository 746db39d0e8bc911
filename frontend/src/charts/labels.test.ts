import { describe, expect, it } from "vitest";
import { spread } from "./labels";

function gaps(places: number[]): number[] {
  const sorted = [...places].sort((a, b) => a - b);
  return sorted.slice(1).map((place, index) => place - (sorted[index] as number));
}

function each(wanted: number[], size: number): number[] {
  return wanted.map(() => size);
}

describe("spread", () => {
  it("leaves labels alone that have room", () => {
    expect(spread([10, 50, 90], each([10, 50, 90], 14), 0, 100)).toEqual([10, 50, 90]);
  });

  it("moves two that collide apart by as much each", () => {
    const [first, second] = spread([50, 52], each([50, 52], 14), 0, 100);
    expect(first).toBeCloseTo(44);
    expect(second).toBeCloseTo(58);
  });

  it("keeps the order of the curves", () => {
    const wanted = [30, 28, 29, 80];
    const placed = spread(wanted, each(wanted, 10), 0, 100);
    const order = (values: number[]) =>
      values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
    expect(order(placed)).toEqual(order(wanted));
    expect(Math.min(...gaps(placed))).toBeGreaterThanOrEqual(10 - 1e-9);
  });

  it("stays within the plot", () => {
    const placed = spread([99, 100, 100], each([99, 100, 100], 14), 0, 100);
    expect(Math.max(...placed)).toBeLessThanOrEqual(100);
    expect(Math.min(...gaps(placed))).toBeCloseTo(14);
    expect(Math.min(...spread([0, 1], each([0, 1], 14), 0, 100))).toBeGreaterThanOrEqual(0);
  });

  it("closes up when there is no room for all", () => {
    const placed = spread([5, 5, 5, 5], each([5, 5, 5, 5], 14), 0, 30);
    expect(Math.min(...placed)).toBeCloseTo(0);
    expect(Math.max(...placed)).toBeCloseTo(30);
  });

  it("pushes a chain of groups into one", () => {
    const placed = spread([50, 51, 66, 67], each([50, 51, 66, 67], 14), 0, 200);
    expect(Math.min(...gaps(placed))).toBeGreaterThanOrEqual(14 - 1e-9);
    const mean = placed.reduce((sum, place) => sum + place) / 4;
    expect(mean).toBeCloseTo(58.5);
  });

  it("gives one of two lines twice the room", () => {
    const [first, second, third] = spread([50, 50, 50], [10, 20, 10], 0, 100);
    expect((second as number) - (first as number)).toBeCloseTo(15);
    expect((third as number) - (second as number)).toBeCloseTo(15);
  });

  it("takes none and one", () => {
    expect(spread([], each([], 14), 0, 10)).toEqual([]);
    expect(spread([40], each([40], 14), 0, 10)).toEqual([10]);
  });
});
