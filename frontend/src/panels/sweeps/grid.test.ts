import { describe, expect, it } from "vitest";
import type { SweptRecord } from "../../api/sweeps";
import { bestOf, layoutOf, pathsOf, shadesOf, standingOf, valuesIn } from "./grid";

function cell(index: number, mean: number | null, low = 0, high = 0): SweptRecord {
  const difference = { mean: (low + high) / 2, low, high };
  return { index, settings: {}, mean, difference, arms: [], error: null };
}

describe("a grid as it is typed", () => {
  it("holds numbers, names, yes and no", () => {
    expect(valuesIn("0.1, 1e-3, fisher,true, null")).toEqual([0.1, 0.001, "fisher", true, null]);
    expect(valuesIn("1,,2")).toBeNull();
    expect(valuesIn(" ")).toBeNull();
  });

  it("offers each setting of a spec", () => {
    const spec = { task: { name: "ranking", n: 5 }, arms: [{ label: "A", lr: 1 }], seed: 0 };
    expect(pathsOf(spec)).toEqual(["task.name", "task.n", "arms.0.lr"]);
  });
});

describe("a grid as a map", () => {
  it("has its last axis across and holds the first ones", () => {
    const axis = (path: string, count: number) => ({
      path,
      values: Array.from({ length: count }, (_, i) => i),
    });
    const layout = layoutOf([axis("a", 2), axis("b", 3), axis("c", 4)]);
    expect(layout?.across.path).toBe("c");
    expect(layout?.down?.path).toBe("b");
    expect(layout?.indexAt(2, 3, [1])).toBe(1 * 12 + 2 * 4 + 3);
    expect(layoutOf([axis("a", 5)])?.indexAt(0, 4, [])).toBe(4);
    expect(layoutOf([])).toBeNull();
  });

  it("knows its best cell, whichever way is better", () => {
    const cells = [cell(0, null), cell(1, 3), null, cell(3, -1), cell(4, 3)];
    expect(bestOf(cells, "higher")?.index).toBe(1);
    expect(bestOf(cells, "lower")?.index).toBe(3);
    expect(bestOf([null], "lower")).toBeNull();
  });

  it("is darkest where it is best, and a broken cell leaves the others their shades", () => {
    const means = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1e9];
    expect(shadesOf(means, "lower")).toEqual([10, 1]);
    expect(shadesOf([0.2, 0.4], "higher")).toEqual([0.4 - 0.4, 0.4]);
    expect(shadesOf([], "higher")).toBeNull();
  });

  it("says better only where the interval leaves out zero", () => {
    expect(standingOf(cell(0, 1, 0.1, 0.2), "higher")).toBe("better");
    expect(standingOf(cell(0, 1, 0.1, 0.2), "lower")).toBe("worse");
    expect(standingOf(cell(0, 1, -0.2, -0.1), "lower")).toBe("better");
    expect(standingOf(cell(0, 1, -0.1, 0.2), "higher")).toBe("open");
    expect(standingOf({ ...cell(0, 1), difference: null }, "higher")).toBeNull();
  });
});
