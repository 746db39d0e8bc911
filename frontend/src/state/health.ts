/** The norms of a batch's gradients: how many have vanished, how many drown the others. */

import type { NormHistogram } from "../api/types";

/** Limits, as log10 of a norm, below and above which a sample's gradient counts as unhealthy. */
export interface Thresholds {
  vanishing: number;
  exploding: number;
}

export function sampleCount(norms: NormHistogram): number {
  return norms.counts.reduce((sum, count) => sum + count, norms.zero + norms.non_finite);
}

/** Norm below which a share of the samples lies, to the bin's geometric middle; 0 where it is 0. */
export function quantile(norms: NormHistogram, share: number): number {
  const finite = sampleCount(norms) - norms.non_finite;
  let below = norms.zero;
  if (finite === 0) return Number.NaN;
  if (below >= share * finite && below > 0) return 0;
  for (const [bin, count] of norms.counts.entries()) {
    below += count;
    if (count > 0 && below >= share * finite) {
      return 10 ** (((norms.log10_edges[bin] ?? 0) + (norms.log10_edges[bin + 1] ?? 0)) / 2);
    }
  }
  return Number.NaN;
}

/** Share of samples whose norm is zero or in a bin that ends at or below 10^`limit`. */
export function shareBelow(norms: NormHistogram, limit: number): number {
  let count = norms.zero;
  norms.counts.forEach((inBin, bin) => {
    if ((norms.log10_edges[bin + 1] ?? Number.POSITIVE_INFINITY) <= limit) count += inBin;
  });
  return count / sampleCount(norms);
}

/** Share of samples whose norm is not finite or in a bin that starts at or above 10^`limit`. */
export function shareAbove(norms: NormHistogram, limit: number): number {
  let count = norms.non_finite;
  norms.counts.forEach((inBin, bin) => {
    if ((norms.log10_edges[bin] ?? Number.NEGATIVE_INFINITY) >= limit) count += inBin;
  });
  return count / sampleCount(norms);
}
