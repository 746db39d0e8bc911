/** How much of a batch has lost its gradient, or has one that drowns the others. */

import type { NormHistogram } from "../api/types";

/** Norms of per-sample output gradients at or below this count as vanishing. */
export const VANISHING = 1e-6;
/** Norms at or above this count as exploding. */
export const EXPLODING = 100;

export interface Health {
  /** Shares of the batch, in [0, 1]. */
  vanishing: number;
  exploding: number;
}

/** The shares of a batch on either side of the thresholds, to half a decade (the bins' width). */
export function healthOf(
  histogram: NormHistogram,
  vanishing = VANISHING,
  exploding = EXPLODING,
): Health {
  const total =
    histogram.counts.reduce((sum, count) => sum + count, 0) + histogram.zero + histogram.non_finite;
  if (total === 0) return { vanishing: 0, exploding: 0 };
  let low = histogram.zero;
  let high = histogram.non_finite;
  histogram.counts.forEach((count, index) => {
    const from = histogram.log10_edges[index] ?? 0;
    const to = histogram.log10_edges[index + 1] ?? from;
    if (to <= Math.log10(vanishing)) low += count;
    if (from >= Math.log10(exploding)) high += count;
  });
  return { vanishing: low / total, exploding: high / total };
}
