import { describe, expect, it } from "vitest";
import { type Box, clipped, isInside, surroundings } from "./clip";
import type { PlanePoint } from "./landscape";

const BOX: Box = [
  [-10, 10],
  [0, 100],
];

describe("clipped", () => {
  it("leaves a path alone that stays inside", () => {
    const points: PlanePoint[] = [
      [0, 0],
      [10, 100],
    ];
    expect(clipped(points, BOX)).toEqual(points);
    expect(clipped([], BOX)).toEqual([]);
  });

  it("ends at the edge where it first leaves, even if it comes back", () => {
    const points: PlanePoint[] = [
      [0, 50],
      [40, 90],
      [0, 50],
    ];
    expect(clipped(points, BOX)).toEqual([
      [0, 50],
      [10, 60],
    ]);
  });

  it("meets the nearer edge of two", () => {
    expect(
      clipped(
        [
          [0, 50],
          [-1e3, -950],
        ],
        BOX,
      ).at(-1),
    ).toEqual([-10, 40]);
    expect(
      clipped(
        [
          [0, 50],
          [20, 350],
        ],
        BOX,
      ).at(-1),
    ).toEqual([expect.closeTo(10 / 3), 100]);
  });

  it("can do so from the largest numbers", () => {
    const [, end] = clipped(
      [
        [-10, 50],
        [1.7e308, -1.7e308],
      ],
      BOX,
    );
    expect(end).toEqual([10, 30]);
  });

  it("stops before what is not finite, and has nothing of a path that begins outside", () => {
    expect(
      clipped(
        [
          [0, 50],
          [Number.NaN, 50],
        ],
        BOX,
      ),
    ).toEqual([[0, 50]]);
    expect(
      clipped(
        [
          [0, 50],
          [Number.POSITIVE_INFINITY, 50],
        ],
        BOX,
      ),
    ).toEqual([[0, 50]]);
    expect(
      clipped(
        [
          [11, 50],
          [0, 50],
        ],
        BOX,
      ),
    ).toEqual([]);
  });
});

describe("surroundings", () => {
  it("reach fifty widths to each side", () => {
    const box = surroundings([-2, 0, 2], [1, 2]);
    expect(box).toEqual([
      [-202, 202],
      [-49, 52],
    ]);
    expect(isInside(box, [202, -49])).toBe(true);
    expect(isInside(box, [202.1, 0])).toBe(false);
    expect(isInside(box, [0, Number.NaN])).toBe(false);
  });
});
