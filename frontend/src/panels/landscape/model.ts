/** What the landscape panel shows: landscapes of the run's log, or those asked for. Pure. */

import type { LandscapePatch, LandscapeStart } from "../../api/landscapes";
import { heightRange, type Landscape, type PlanePoint, pointAt } from "../../charts/landscape";
import { isStretched } from "../../charts/landscapeFigure";
import { formatMeasured } from "../../format";
import { lastUpToStep } from "../../state/column";
import { hasEnded, type LandscapePoint, type RunLog } from "../../state/log";
import type { LandscapePlane } from "../../state/signals";

export interface LandscapePath {
  arm: number;
  points: PlanePoint[];
  /** Step of each point. */
  steps: number[];
  residual: number | null;
}

/** One landscape of the panel. */
export interface ShownLandscape {
  /** Tells landscapes apart: the arms that it shows. */
  key: string;
  arms: number[];
  step: number;
  landscape: Landscape;
  paths: LandscapePath[];
  /** Whether all of it has come. */
  complete: boolean;
}

/** The snapshot nearest to a step; of two equally near, the earlier, as the server chooses. */
export function nearestSnapshot(steps: readonly number[], at: number): number | null {
  let best: number | null = null;
  for (const step of steps) {
    if (best === null || Math.abs(step - at) < Math.abs(best - at)) best = step;
  }
  return best;
}

/** The latest landscape of every arm at or before the cursor. */
export function loggedLandscapes(log: RunLog, cursor: number): ShownLandscape[] {
  return log.arms.flatMap((arm, index) => {
    const logged = lastUpToStep(arm.landscapes, cursor);
    return logged === undefined ? [] : [loggedLandscape(logged, index)];
  });
}

function loggedLandscape(logged: LandscapePoint, arm: number): ShownLandscape {
  return {
    key: `${arm}`,
    arms: [arm],
    step: logged.step,
    landscape: { x: logged.grid.a ?? [], y: logged.grid.b ?? [], values: logged.values },
    paths: [{ arm, ...finitePlaces(logged.trajectory), residual: logged.residual }],
    complete: true,
  };
}

/** The places `[a, b, step]` of a path that are finite. */
function finitePlaces(
  places: readonly (readonly (number | null)[])[],
): Pick<LandscapePath, "points" | "steps"> {
  const finite = places.flatMap(([a = null, b = null, step]) => {
    const point = pointAt(a, b);
    return point === null || step == null ? [] : [{ point, step }];
  });
  return { points: finite.map(({ point }) => point), steps: finite.map(({ step }) => step) };
}

/** The landscapes of a stream, as far as they have come. */
export function streamedLandscapes(
  start: LandscapeStart,
  patches: ReadonlyMap<number, LandscapePatch>,
): ShownLandscape[] {
  return start.pictures.flatMap((picture, index) => {
    const patch = patches.get(index);
    if (patch === undefined) return [];
    return [
      {
        key: picture.arms.join(),
        arms: picture.arms,
        step: start.step,
        landscape: { x: patch.grid.a, y: patch.grid.b, values: patch.values },
        paths: picture.paths.map(({ arm, points, residual }) => ({
          arm,
          ...finitePlaces(points),
          residual,
        })),
        complete: patch.level === patch.levels - 1,
      },
    ];
  });
}

/** Landscapes of whole paths, with what of the paths had been walked at a step. */
export function upTo(whole: readonly ShownLandscape[], step: number): ShownLandscape[] {
  return whole.map((one) => ({
    ...one,
    step,
    paths: one.paths.map((path) => {
      const walked = path.steps.filter((at) => at <= step).length;
      return { ...path, points: path.points.slice(0, walked), steps: path.steps.slice(0, walked) };
    }),
  }));
}

/** "34 % of the path lies outside this plane". */
export function residualWords(residual: number | null): string {
  if (residual === null || !Number.isFinite(residual)) return "where the path lies is not known";
  if (residual < 0.005) return "the path lies in this plane";
  return `${Math.round(100 * residual)} % of the path lies outside this plane`;
}

/** Pixels of a usual picture: its plot's width, and what axes take beside and below. */
const USUAL = { plot: 200, beside: 56, below: 42 };
/** A picture is at least this wide by its height: no plane is taller than a screen. */
const TALLEST = 0.9;

/** Width of a picture by its height at which its plane fills it at one scale. */
export function aspectOf(landscape: Landscape): number {
  const { x, y } = landscape;
  const wide = Math.abs((x.at(-1) ?? 0) - (x[0] ?? 0));
  const high = Math.abs((y.at(-1) ?? 0) - (y[0] ?? 0));
  const ratio = isStretched(landscape) || !(wide > 0 && high > 0) ? 1 : wide / high;
  const { plot, beside, below } = USUAL;
  return Math.max(TALLEST, (plot + beside) / (plot / ratio + below));
}

/** The range of heights that all landscapes share, or null where each has its own. */
export function sharedRange(
  landscapes: readonly ShownLandscape[],
  shared: boolean,
): [number, number] | null {
  return shared ? heightRange(landscapes.map(({ landscape }) => landscape)) : null;
}

/**
 * The plane that tells most of a run. Directions fixed before training see little of where it goes,
 * but they are all there is until it has ended, or where nothing can be computed (a report).
 */
export function fittingPlane(log: RunLog | null, canCompute: boolean): LandscapePlane {
  if (log === null || !canCompute || !hasEnded(log) || log.snapshots.length < 2) return "run";
  // Two weights are a point on a surface: the run's own landscapes show all of it already.
  const isSurface = log.parameters === 2 && log.arms.some((arm) => arm.landscapes.length > 0);
  return isSurface ? "run" : "trajectory";
}

/** Which plane is shown, and why. `chosen`: by the reader. */
export function planeWords(
  plane: LandscapePlane,
  log: Pick<RunLog, "parameters" | "status">,
  chosen: boolean,
  canCompute: boolean,
): string {
  if (log.parameters === 2) return "The weights are a point of the plane: this is all of the loss.";
  switch (plane) {
    case "trajectory": {
      const own = "in the plane nearest to its own path, the same at every step";
      return chosen
        ? `Each arm is shown ${own}.`
        : `The run has ended, so each arm is shown ${own}: no plane leaves out less of the path.`;
    }
    case "principal":
      return "The plane nearest to the paths of all arms together. It is the same at every step.";
    case "filter_normalised":
      return "Around each arm's weights, in two random directions that weigh every filter alike.";
    case "arms":
      return "Through the weights of the arms at this step: other steps have other planes.";
    default: {
      const own =
        "Around each arm's weights, in two directions fixed before training, so that arms and" +
        " steps compare; they see little of where training goes.";
      if (!canCompute)
        return `${own} Other planes need the run's weights, which are on its server.`;
      if (chosen || hasEnded(log)) return own;
      return `${own} Once the run has ended, the planes nearest to the paths take over.`;
    }
  }
}

/** "No barrier" or how high it is, between the weights of two arms. */
export function barrierWords(barrier: number | null, ends: readonly number[]): string {
  const scale = Math.max(...ends.map(Math.abs));
  if (barrier === null) return "The loss is not finite somewhere between them.";
  if (barrier <= 0.01 * scale) {
    return "No barrier between them: nowhere does the loss rise above the straight line between its ends.";
  }
  return `A barrier between them: the loss rises ${formatMeasured(barrier, 2)} above the straight line between its ends.`;
}

/** Surfaces that may be alive at once: browsers keep few WebGL contexts. */
const MOST_SURFACES = 2;

/** Which landscapes are surfaces: those that were made so, or else the first ones. */
export function surfacesOf(chosen: readonly string[], keys: readonly string[]): string[] {
  const kept = chosen.filter((key) => keys.includes(key));
  return (kept.length > 0 ? kept : [...keys]).slice(0, MOST_SURFACES);
}

/** Which landscapes are surfaces once `key` is to be one: the oldest makes room. */
export function withSurface(chosen: readonly string[], key: string): string[] {
  return [...chosen.filter((other) => other !== key), key].slice(-MOST_SURFACES);
}
