/** Descents on surfaces, on the plane of three scores, and gradient fields: answered at once. */

import type { Asked, Schemas } from "./types";

export type Method = Asked<Schemas["DescentSettings"], "method" | "lr">;
export type Descent = Schemas["WalkRecord"];
/** A descent on the plane of three scores. */
export type ThreeDescent = Schemas["ThreeNumbersWalk"];

type WithMethods<T extends { walkers: unknown }, Needed extends keyof T> = Omit<
  Asked<T, Needed>,
  "walkers"
> & { walkers: Method[] };

export type SurfaceQuery = WithMethods<Schemas["SurfaceRequest"], "loss" | "steps">;
export type SurfaceAnswer = Schemas["SurfaceAnswer"];
export type ThreeQuery = WithMethods<
  Schemas["ThreeNumbersRequest"],
  "loss" | "start" | "steps" | "span"
>;
export type ThreeAnswer = Schemas["ThreeNumbersAnswer"];

type GradientStep = Asked<Schemas["NewtonSettings"], "curvature" | "tikhonov">;
export type GradientsQuery = Omit<
  Asked<Schemas["GradientsRequest"], "loss" | "scores" | "low" | "high">,
  "steps"
> & { steps: GradientStep[] };
export type GradientsAnswer = Schemas["GradientsAnswer"];
export type GradientCurve = Schemas["GradientCurve"];

export type NoiseQuery = Asked<Schemas["PerturbedPathsRequest"], "costs" | "sigma" | "samples">;
export type NoiseAnswer = Schemas["PerturbedPathsAnswer"];
