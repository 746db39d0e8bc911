/** One arm over several seeds as one series: their mean, and how far they lie apart. */

import { type Column, ColumnBuffer } from "../state/column";
import type { Series } from "./series";

/** Least and greatest value of the seeds, at each step. */
export interface Spread {
  low: Column;
  high: Column;
}

/** What one seed contributes: steps of records, and the line that its chart would show. */
export interface SeedLine {
  steps: Column;
  line: Column;
}

const KEPT = 4;
/** By the column of steps, which is another one once its run has grown. */
const cache = new WeakMap<Column, Map<string, Series>>();

/**
 * The mean of all seeds at the steps of the first one, and the band from the least to the greatest.
 * Where a seed has no value, because it has diverged, there is no mean: the mean of the other seeds
 * would flatter the arm. The result is kept under the steps and `key`, which names the question.
 */
export function overSeeds(lines: readonly [SeedLine, ...SeedLine[]], key: string): Series {
  const [{ steps }] = lines;
  let kept = cache.get(steps);
  if (kept === undefined) {
    kept = new Map();
    cache.set(steps, kept);
  }
  let found = kept.get(key);
  if (found === undefined) {
    found = computed(lines);
    for (const old of kept.keys()) if (kept.size >= KEPT) kept.delete(old);
    kept.set(key, found);
  }
  return found;
}

function computed(lines: readonly [SeedLine, ...SeedLine[]]): Series {
  const [{ steps }] = lines;
  const mean = new ColumnBuffer();
  const low = new ColumnBuffer();
  const high = new ColumnBuffer();
  for (let index = 0; index < steps.length; index += 1) {
    const values = lines.map((seed) => valueAt(seed, steps.at(index), index));
    mean.push(values.reduce((sum, value) => sum + value, 0) / values.length);
    low.push(Math.min(...values));
    high.push(Math.max(...values));
  }
  const spread = { low: low.column, high: high.column };
  return { steps, y: mean.column, error: null, spread };
}

/** A seed's value at a step; NaN where it has none. Seeds mostly record alike, at `index`. */
function valueAt({ steps, line }: SeedLine, step: number, index: number): number {
  const at = steps.at(index) === step ? index : steps.countUpTo(step) - 1;
  return steps.at(at) === step ? line.at(at) : Number.NaN;
}
