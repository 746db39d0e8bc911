/** A growable column of numbers: append-only, amortised O(1), read without copying. */
export class Column {
  private buffer: Float64Array;
  private count = 0;

  constructor(capacity = 256) {
    this.buffer = new Float64Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** The values so far, as a view: valid until the next `push`. */
  get values(): Float64Array {
    return this.buffer.subarray(0, this.count);
  }

  /** The value at `index`; NaN outside the column. */
  at(index: number): number {
    return index >= 0 && index < this.count ? (this.buffer[index] as number) : Number.NaN;
  }

  push(value: number): void {
    if (this.count === this.buffer.length) {
      const larger = new Float64Array(this.buffer.length * 2);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.count++] = value;
  }

  /** Appends NaN until the column has `length` values. */
  pad(length: number): void {
    while (this.count < length) this.push(Number.NaN);
  }

  /** How many values are <= `limit`; the column must ascend. */
  countUpTo(limit: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.buffer[middle] as number) <= limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How many of `records`, ascending by `step`, are at or before `step`. */
export function countUpToStep(records: readonly { step: number }[], step: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle] as { step: number }).step <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last of `records`, ascending by `step`, at or before `step`. */
export function lastUpToStep<T extends { step: number }>(
  records: readonly T[],
  step: number,
): T | undefined {
  return records[countUpToStep(records, step) - 1];
}
