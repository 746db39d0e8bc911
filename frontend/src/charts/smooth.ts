/**
 * Honest smoothing: an exponential moving average of the past alone, corrected for its start.
 *
 * What is drawn at step k depends on steps up to k only, so scrubbing never shows the future. A gap
 * (NaN) ends the average, which begins anew behind it. On a logarithmic axis the logarithms are
 * averaged, so that one spike of a thousand times the usual does not lift a whole stretch.
 */

import { type Column, ColumnBuffer } from "../state/column";

export class Smoothed {
  private readonly means = new ColumnBuffer();
  private sum = 0;
  private weight = 0;

  /** `width`: the average's centre of mass is that of a plain mean over `width` points (>= 1). */
  constructor(
    private readonly source: ColumnBuffer,
    private readonly width: number,
    private readonly geometric: boolean,
  ) {
    if (!(width >= 1)) throw new RangeError(`a smoothing width is at least 1, not ${width}`);
  }

  /** The averages of the first `length` values of the source, of all that it has now without. */
  upTo(length = this.source.length): Column {
    const keep = 1 - 2 / (this.width + 1);
    const values = this.source.values;
    for (let index = this.means.length; index < values.length; index += 1) {
      const value = values[index] as number;
      if (Number.isNaN(value)) {
        this.sum = 0;
        this.weight = 0;
        this.means.push(Number.NaN);
        continue;
      }
      const term = this.geometric ? Math.log(value) : value;
      if (Number.isFinite(term)) {
        this.sum = keep * this.sum + (1 - keep) * term;
        this.weight = keep * this.weight + (1 - keep);
      }
      // A zero or negative value has no logarithm: the raw curve shows it, the average waits.
      const mean = this.weight > 0 ? this.sum / this.weight : Number.NaN;
      this.means.push(this.geometric ? Math.exp(mean) : mean);
    }
    return this.means.upTo(length);
  }
}

const WIDTHS = [1, 2, 3, 5, 10, 20, 30, 50, 100];

/** The smoothing that fits a run of so many logged points: about a hundredth of them. */
export function fittingWidth(points: number): number {
  return WIDTHS.findLast((width) => width <= points / 100) ?? 1;
}

const KEPT = 4;
const cache = new WeakMap<ColumnBuffer, Map<string, Smoothed>>();

/** The smoothed column, continued where its buffer has grown; the column itself for width 1. */
export function smoothed(column: Column, width: number, geometric: boolean): Column {
  if (width <= 1) return column;
  const { source, length } = column;
  let kept = cache.get(source);
  if (kept === undefined) {
    kept = new Map();
    cache.set(source, kept);
  }
  const key = `${width} ${geometric}`;
  let found = kept.get(key);
  if (found === undefined) {
    found = new Smoothed(source, width, geometric);
    // A dragged smoothing slider asks for many widths: the oldest go.
    for (const old of kept.keys()) if (kept.size >= KEPT) kept.delete(old);
    kept.set(key, found);
  }
  return found.upTo(length);
}
