import { describe, expect, it } from "vitest";
import type { MapItem } from "./items";
import {
  costScale,
  describeCosts,
  describeRoute,
  distinct,
  pointsOf,
  shadeOf,
  type Tile,
  verdict,
  wrongTiles,
} from "./maps";

const TRUE: Tile[] = [
  [0, 0],
  [1, 1],
  [2, 2],
];
const DETOUR: Tile[] = [
  [0, 0],
  [0, 1],
  [1, 2],
  [2, 2],
];

function item(changes: Partial<MapItem> = {}): MapItem {
  return {
    map: 0,
    image: null,
    height: 3,
    width: 3,
    true_path: TRUE,
    predicted_path: DETOUR,
    costs: [
      [1, 2, 3],
      [2, 4, 2],
      [1, 2, 5],
    ],
    optimal: false,
    perfect_match: false,
    cost_ratio: 1.25,
    ...changes,
  };
}

describe("costScale", () => {
  it("spans all arms' costs and passes over what is not finite", () => {
    const other = item({
      costs: [
        [0.5, null],
        [2, 9],
      ],
    });
    expect(costScale([item(), other])).toEqual({ low: 0.5, high: 9, log: false });
    expect(costScale([item({ costs: [[null]] })])).toBeNull();
  });

  it("turns logarithmic where costs differ much, never at zero or below", () => {
    expect(costScale([item({ costs: [[0.01, 10]] })])?.log).toBe(true);
    expect(costScale([item({ costs: [[0, 10]] })])?.log).toBe(false);
  });
});

describe("shadeOf", () => {
  it("goes from 0 to 1 along the scale", () => {
    const linear = { low: 1, high: 5, log: false };
    expect([1, 2, 5, 7].map((cost) => shadeOf(cost, linear))).toEqual([0, 0.25, 1, 1]);
    expect(shadeOf(1, { low: 0.01, high: 100, log: true })).toBeCloseTo(0.5);
    expect(shadeOf(3, { low: 3, high: 3, log: false })).toBe(0);
  });
});

describe("wrongTiles", () => {
  it("are those off the true path", () => {
    expect(wrongTiles(item())).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it("are none on another path that is as cheap, and none without a path", () => {
    expect(wrongTiles(item({ optimal: true }))).toEqual([]);
    expect(wrongTiles(item({ predicted_path: null }))).toEqual([]);
  });
});

describe("verdict", () => {
  it("says whether a path is optimal and by how much it is not", () => {
    expect(verdict(item())).toBe("not optimal: costs 25\u00a0% more, 2 wrong tiles");
    expect(verdict(item({ cost_ratio: 3.21 }))).toBe(
      "not optimal: costs 3.2 times as much, 2 wrong tiles",
    );
    expect(verdict(item({ optimal: true }))).toBe("optimal: another path, as cheap");
    expect(verdict(item({ optimal: true, perfect_match: true }))).toBe("optimal: the true path");
    expect(verdict(item({ predicted_path: null, cost_ratio: null }))).toMatch(/^no path/);
  });
});

describe("descriptions", () => {
  it("say what the pictures show", () => {
    expect(describeRoute(item())).toBe(
      "Map 1, 3 by 3 tiles. The arm's path of 4 tiles shares 2 of the 3 tiles of the true path." +
        " Not optimal: costs 25\u00a0% more, 2 wrong tiles.",
    );
    expect(describeCosts(item({ costs: [[1, null, 5]] }))).toBe(
      "The arm's costs go from 1 to 5; 1 are not finite.",
    );
  });
});

describe("paths", () => {
  it("run through the middles of tiles, columns first", () => {
    expect(pointsOf(DETOUR)).toBe("0.5,0.5 1.5,0.5 2.5,1.5 2.5,2.5");
  });

  it("are told apart by their tiles", () => {
    expect(distinct([TRUE, DETOUR, [...TRUE]])).toBe(2);
  });
});
