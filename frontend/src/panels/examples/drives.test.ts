import { describe, expect, it } from "vitest";
import { describeDrives, frameOf, lineOf, tally } from "./drives";
import type { DriveItem } from "./items";

function drive(over: Partial<DriveItem> = {}): DriveItem {
  return {
    path: 0,
    way_points: [[1, 2]],
    wanted: [
      [0.5, 1],
      [1, 2],
    ],
    driven: [
      [0.5, 0.9],
      [1, 1.9],
    ],
    error: 0.1,
    tolerance: 0.1,
    close: true,
    ...over,
  };
}

describe("frameOf", () => {
  it("is a square around the start and all wanted paths, upwards negative", () => {
    const { viewBox, side } = frameOf([drive(), drive({ wanted: [[-1, -2]] })]);
    expect(side).toBeCloseTo(4 * 1.2);
    const [x = 0, y = 0, width, height] = viewBox.split(" ").map(Number);
    expect([width, height]).toEqual([4.8, 4.8]);
    expect([x, y]).toEqual([-2.4, -2.4]);
  });

  it("has the way-points where the paths have not come", () => {
    expect(frameOf([drive({ wanted: null })]).side).toBeCloseTo(2 * 1.2);
  });
});

describe("lineOf", () => {
  it("leads from the start, upwards", () => {
    expect(lineOf([[1, 2]])).toBe("0,0 1,-2");
  });
});

describe("words", () => {
  const items = [drive(), drive({ path: 1, error: null, driven: null, close: false })];

  it("count the paths that are close", () => {
    expect(tally(items)).toBe("1 of 2 within 0.1");
  });

  it("say each path's distance", () => {
    expect(describeDrives(items)).toBe(
      "1 of 2 within 0.1 of the wanted path, on average; path 1: 0.1 away from it, path 2: not finite.",
    );
  });
});
