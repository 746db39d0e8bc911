/** Descents on surfaces, on the plane of three scores, and gradient fields: answered at once. */

import type { Named } from "./types";

export interface Method {
  label?: string;
  method: "gradient_descent" | "momentum" | "adam" | "newton";
  lr: number;
  curvature?: "hessian" | "fisher";
  definiteness?: "raw" | "clip" | "saddle_free";
  tikhonov?: number;
}

type Row = (number | null)[];

export interface Descent {
  label: string;
  path: [number | null, number | null][];
  values: Row;
  gradients: Row[];
  gradient_norms: Row;
  curvatures: Row[][];
  predicted: Row;
  actual: Row;
  trust: Row;
  ended: number;
  problem: string | null;
  /** On the plane of three scores alone. */
  outcome?: "arrived" | "stuck" | "under_way" | "ended";
  arrived?: number;
}

export interface SurfaceAnswer {
  picture: { x: number[]; y: number[]; values: Row[]; minima: [number, number][] };
  start: [number, number];
  walks: Descent[];
}

export interface ThreeAnswer {
  plane: {
    a: number[];
    b: number[];
    loss: Row[];
    gradient_norm: Row[];
    wedges: {
      label: string;
      angle: number;
      polygon: [number, number][];
      correct: boolean;
    }[];
  };
  walks: Descent[];
}

export interface GradientCurve {
  name: string;
  component: Row;
  norm: Row;
  regions: { kind: "vanishing" | "exploding" | "non_finite"; first: number; last: number }[];
  problem: string | null;
}

export interface GradientsAnswer {
  field: { scores: number[]; value: Row; curves: GradientCurve[] };
  numerics: { scores: number[]; value: Row; curves: GradientCurve[] } | null;
}

export interface SurfaceQuery {
  loss: Named;
  start?: [number, number];
  walkers: Method[];
  steps: number;
}

export type ThreeQuery = SurfaceQuery & { span: number; start: [number, number] };

export interface GradientsQuery {
  loss: Named;
  scores: number[][];
  low: number;
  high: number;
  steps: { curvature: "hessian" | "fisher"; tikhonov: number }[];
  vanishing: number;
  exploding: number;
}
