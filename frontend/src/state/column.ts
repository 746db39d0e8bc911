/**
 * Columns of numbers that grow at one place and are read at many.
 *
 * One writer appends to a `ColumnBuffer`. Readers hold `Column`s: the first `length` values of a
 * buffer, which never change, because a buffer changes no value that it has. Columns of one buffer
 * share it, so a longer one costs nothing to make, and what is computed from a buffer's values can
 * be kept and continued (`Column.source` is the key).
 */

export class ColumnBuffer {
  private buffer: Float64Array;
  private count = 0;
  private latest: Column | null = null;

  constructor(capacity = 256) {
    this.buffer = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** The values so far, valid until the next `push`. */
  get values(): Float64Array {
    return this.first(this.count);
  }

  /** The first `length` values, without a copy. */
  first(length: number): Float64Array {
    return this.buffer.subarray(0, length);
  }

  /** The value at an index below `length`. */
  at(index: number): number {
    return this.buffer[index] as number;
  }

  /** The values so far, for good; the same object while nothing is appended. */
  get column(): Column {
    return this.upTo(this.count);
  }

  /** The first `length` values, for good. */
  upTo(length: number): Column {
    if (this.latest?.length !== length) this.latest = new Column(this, length);
    return this.latest;
  }

  /** Appends a value, in amortised constant time. */
  push(value: number): void {
    if (this.count === this.buffer.length) {
      const larger = new Float64Array(this.buffer.length * 2);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.count++] = value;
  }

  /** Appends NaN until there are `length` values. */
  pad(length: number): void {
    while (this.count < length) this.push(Number.NaN);
  }
}

/** The first `length` values of a buffer. They never change. */
export class Column {
  constructor(
    readonly source: ColumnBuffer,
    readonly length: number,
  ) {}

  get values(): Float64Array {
    return this.source.first(this.length);
  }

  /** The value at `index`; NaN outside the column. */
  at(index: number): number {
    return index >= 0 && index < this.length ? this.source.at(index) : Number.NaN;
  }

  /** How many values are <= `limit`; the column must ascend. */
  countUpTo(limit: number): number {
    return countUpTo(this.length, (index) => this.source.at(index), limit);
  }
}

/** How many of `length` ascending numbers are <= `limit`, by bisection. */
function countUpTo(length: number, at: (index: number) => number, limit: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of `records`, ascending by `step`, are at or before `step`. */
export function countUpToStep(records: readonly { step: number }[], step: number): number {
  return countUpTo(records.length, (index) => (records[index] as { step: number }).step, step);
}

/** The last of `records`, ascending by `step`, at or before `step`. */
export function lastUpToStep<T extends { step: number }>(
  records: readonly T[],
  step: number,
): T | undefined {
  return records[countUpToStep(records, step) - 1];
}
