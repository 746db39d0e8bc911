/** Driven paths of the trajectory task: what is drawn of them and said about them. Pure. */

import type { Example } from "../../api/types";
import { formatMeasured } from "../../format";
import { type DriveItem, isDriveItem } from "./items";

export type Point = [number, number];

/** A square that holds some paths: SVG's `viewBox`, and how long its side is. */
export interface Frame {
  viewBox: string;
  side: number;
}

/** Room around the wanted paths for those that end a little beyond them. */
const MARGIN = 1.2;

/** The smallest square, with a margin, around the wanted paths, which start at the origin. */
export function frameOf(items: readonly DriveItem[]): Frame {
  const points: Point[] = [[0, 0], ...items.flatMap((item) => item.wanted ?? item.way_points)];
  const range = (axis: 0 | 1): [number, number] => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [left, right] = range(0);
  const [low, high] = range(1);
  const side = MARGIN * Math.max(right - left, high - low, 1);
  const x = (left + right - side) / 2;
  const y = -(low + high + side) / 2; // SVG counts downwards
  return { viewBox: [x, y, side, side].map((value) => value.toFixed(3)).join(" "), side };
}

/** A line from the start through a path's points, upwards positive: SVG `points`. */
export function lineOf(path: readonly Point[]): string {
  return [[0, 0] as Point, ...path].map(([x, y]) => `${x},${-y}`).join(" ");
}

/** How the arm does on the shown paths, in few words. */
export function tally(items: readonly DriveItem[]): string {
  const close = items.filter((item) => item.close).length;
  return `${close} of ${items.length} within ${formatMeasured(items[0]?.tolerance ?? 0)}`;
}

/** What a picture shows, for those who do not see it. */
export function describeDrives(items: readonly DriveItem[]): string {
  const each = items.map((item) =>
    item.error === null
      ? `path ${item.path + 1}: not finite`
      : `path ${item.path + 1}: ${formatMeasured(item.error)} away from it`,
  );
  return `${tally(items)} of the wanted path, on average; ${each.join(", ")}.`;
}

export function drivesOf(items: readonly Example[]): DriveItem[] {
  return items.filter(isDriveItem);
}
