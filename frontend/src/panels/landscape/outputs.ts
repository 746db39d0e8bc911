/** Vectors of the output-space picture. Pure. */

import type { OutputSlice } from "../../api/slices";
import type { PlanePoint } from "../../charts/heights";

export type Surrogate = "hessian raw" | "hessian clip" | "hessian saddle_free" | "fisher raw";

/** Where an arrow down the gradient ends: its own length, or `reach` where it is longer. */
export function slopeOf([a, b]: readonly [number, number], reach: number): PlanePoint {
  const length = Math.hypot(a, b);
  const scale = length > reach ? reach / length : 1;
  return [-a * scale, -b * scale];
}

/** The eigenvector cross: each arm as long as its eigenvalue's share of the larger one. */
export function crossOf(
  surrogate: Pick<OutputSlice["slice"]["surrogates"][number], "eigenvalues" | "eigenvectors">,
  reach: number,
): PlanePoint[][] {
  const sizes = surrogate.eigenvalues.map((value) => Math.abs(value ?? 0));
  const largest = Math.max(...sizes);
  if (largest === 0) return [];
  return surrogate.eigenvectors.map(([a, b], index): PlanePoint[] => {
    const length = (reach * (sizes[index] ?? 0)) / largest;
    return [
      [-a * length, -b * length],
      [a * length, b * length],
    ];
  });
}
