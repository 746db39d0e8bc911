/** Paths cut where they leave a box: numbers far outside a picture cannot be drawn. Pure. */

import type { PlanePoint } from "./landscape";

/** Ranges of the two axes. */
export type Box = readonly [readonly [number, number], readonly [number, number]];

/** How many times its own width a picture's surroundings reach to each side. */
const REACH = 50;

/** The picture over these axes with its surroundings. */
export function surroundings(x: readonly number[], y: readonly number[]): Box {
  const wide = (axis: readonly number[]): [number, number] => {
    const low = axis[0] ?? 0;
    const high = axis.at(-1) ?? low;
    return [low - REACH * (high - low), high + REACH * (high - low)];
  };
  return [wide(x), wide(y)];
}

export function isInside(box: Box, point: PlanePoint): boolean {
  return box.every(([low, high], axis) => {
    const at = point[axis] as number;
    return at >= low && at <= high;
  });
}

/** The points up to where the path first leaves the box, and the place where it does. */
export function clipped(points: readonly PlanePoint[], box: Box): PlanePoint[] {
  const leaving = points.findIndex((point) => !isInside(box, point));
  if (leaving < 0) return [...points];
  const kept = points.slice(0, leaving);
  const from = kept.at(-1);
  const to = points[leaving] as PlanePoint;
  if (from === undefined || !to.every(Number.isFinite)) return kept;
  return [...kept, crossing(box, from, to)];
}

/** Where the way from a point inside to one outside meets the edge of the box. */
function crossing(box: Box, from: PlanePoint, to: PlanePoint): PlanePoint {
  let share = 1;
  box.forEach(([low, high], axis) => {
    const [start, end] = [from[axis] as number, to[axis] as number];
    if (end < low) share = Math.min(share, (low - start) / (end - start));
    if (end > high) share = Math.min(share, (high - start) / (end - start));
  });
  const along = (axis: 0 | 1): number => {
    const [low, high] = box[axis];
    // Rounding may put it a little outside, where it would be cut again.
    return Math.min(high, Math.max(low, from[axis] + share * (to[axis] - from[axis])));
  };
  return [along(0), along(1)];
}
