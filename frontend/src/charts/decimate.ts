/**
 * Min/max decimation that stays cheap while a column grows.
 *
 * A pyramid keeps, for buckets of 8, 16, 32, ... values, where the least and the greatest value and
 * the first gap are. Whatever the window and the resolution, a curve is then read in time
 * proportional to the points drawn, not to the points recorded, and no spike or gap is lost.
 * Buckets are aligned to the column, so points already drawn do not shimmer as more arrive.
 */

import type { Column, ColumnBuffer } from "../state/column";

const BASE = 8;

interface Level {
  /** Three entries a bucket: index of the least value, of the greatest, of the first gap; or -1. */
  marks: Int32Array;
  buckets: number;
}

export class MinMaxPyramid {
  private readonly levels: Level[] = [];

  constructor(private readonly column: ColumnBuffer) {}

  /**
   * Indices, ascending, of at most `points` values that stand for `[from, to)`. If all fit, these are
   * all of them; otherwise the extremes and gaps of buckets of equal size. The first and the last are
   * always among them.
   */
  pick(from: number, to: number, points: number): number[] {
    const count = to - from;
    if (count <= 0) return [];
    if (count <= points) return Array.from({ length: count }, (_, offset) => from + offset);
    // Two marks a bucket; where gaps add a third to many of them, wider buckets.
    let level = 0;
    while (count > (points / 2) * BASE * 2 ** level) level += 1;
    for (; ; level += 1) {
      const picked = this.collect(from, to, level);
      if (picked.length <= points || BASE * 2 ** level > count) return picked;
    }
  }

  private collect(from: number, to: number, level: number): number[] {
    const width = BASE * 2 ** level;
    const { marks, buckets } = this.extended(level);
    const picked: number[] = [from];
    for (let bucket = Math.floor(from / width); bucket * width < to; bucket += 1) {
      const start = bucket * width;
      const end = start + width;
      const whole = start >= from && end <= to && bucket < buckets;
      const found: Marks = whole
        ? [at(marks, 3 * bucket), at(marks, 3 * bucket + 1), at(marks, 3 * bucket + 2)]
        : this.scan(Math.max(start, from), Math.min(end, to));
      append(picked, found);
    }
    if (picked[picked.length - 1] !== to - 1) picked.push(to - 1);
    return picked;
  }

  /** The level with every bucket that the column now fills; levels below it grow on the way. */
  private extended(level: number): Level {
    let current = this.levels[level];
    if (current === undefined) {
      current = { marks: new Int32Array(3 * 64), buckets: 0 };
      this.levels[level] = current;
    }
    const full = Math.floor(this.column.length / (BASE * 2 ** level));
    if (full === current.buckets) return current;
    const below = level > 0 ? this.extended(level - 1) : null;
    current.marks = withRoom(current.marks, 3 * full);
    for (let bucket = current.buckets; bucket < full; bucket += 1) {
      const found =
        below === null
          ? this.scan(bucket * BASE, (bucket + 1) * BASE)
          : this.merge(below.marks, 6 * bucket);
      current.marks.set(found, 3 * bucket);
    }
    current.buckets = full;
    return current;
  }

  private scan(from: number, to: number): Marks {
    const values = this.column.values;
    const found: Marks = [-1, -1, -1];
    for (let index = from; index < to; index += 1) {
      const value = values[index] as number;
      if (Number.isNaN(value)) {
        if (found[2] < 0) found[2] = index;
        continue;
      }
      if (found[0] < 0 || value < (values[found[0]] as number)) found[0] = index;
      if (found[1] < 0 || value > (values[found[1]] as number)) found[1] = index;
    }
    return found;
  }

  /** The marks of two neighbouring buckets as those of one twice as wide. */
  private merge(marks: Int32Array, offset: number): Marks {
    const values = this.column.values;
    const pick = (slot: number, better: (a: number, b: number) => boolean): number => {
      const left = at(marks, offset + slot);
      const right = at(marks, offset + 3 + slot);
      if (left < 0) return right;
      if (right < 0) return left;
      return better(values[right] as number, values[left] as number) ? right : left;
    };
    const gap = at(marks, offset + 2);
    return [
      pick(0, (a, b) => a < b),
      pick(1, (a, b) => a > b),
      gap >= 0 ? gap : at(marks, offset + 5),
    ];
  }
}

type Marks = [number, number, number];

/** Adds a bucket's marks in the column's order, each index once. */
function append(picked: number[], marks: Marks): void {
  const [low, high, gap] = marks;
  const ordered = [low, high, gap].sort((a, b) => a - b);
  for (const index of ordered) {
    if (index >= 0 && index !== picked[picked.length - 1]) picked.push(index);
  }
}

function at(marks: Int32Array, index: number): number {
  return marks[index] as number;
}

function withRoom(marks: Int32Array, length: number): Int32Array {
  if (length <= marks.length) return marks;
  const larger = new Int32Array(Math.max(length, 2 * marks.length));
  larger.set(marks);
  return larger;
}

const pyramids = new WeakMap<ColumnBuffer, MinMaxPyramid>();

/** The pyramid of the column's buffer, made once and kept as long as the buffer. */
export function pyramidOf({ source }: Column): MinMaxPyramid {
  let pyramid = pyramids.get(source);
  if (pyramid === undefined) {
    pyramid = new MinMaxPyramid(source);
    pyramids.set(source, pyramid);
  }
  return pyramid;
}

/**
 * Like `MinMaxPyramid.pick` for a logarithmic x axis, which stretches the beginning: the window is
 * cut where x doubles, and each part gets its share of the points.
 */
export function pickLog(column: Column, from: number, to: number, points: number): number[] {
  const pyramid = pyramidOf(column);
  if (to - from <= points) return pyramid.pick(from, to, points);
  const cuts: number[] = [from];
  for (let edge = Math.max(1, from + 1); edge < to; edge *= 2) {
    if (edge > (cuts[cuts.length - 1] as number)) cuts.push(edge);
  }
  cuts.push(to);
  const share = Math.max(8, Math.floor(points / (cuts.length - 1)));
  const picked: number[] = [];
  for (let part = 0; part + 1 < cuts.length; part += 1) {
    for (const index of pyramid.pick(cuts[part] as number, cuts[part + 1] as number, share)) {
      picked.push(index);
    }
  }
  return picked;
}
