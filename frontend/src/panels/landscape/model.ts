/** What the landscape panel shows: slices of the run's log, or those asked for, as pictures. Pure. */

import type { SlicePatch, SliceStart } from "../../api/slices";
import { type Heights, heightRange, type PlanePoint } from "../../charts/heights";
import { lastUpToStep } from "../../state/column";
import type { LandscapePoint, RunLog } from "../../state/log";

export interface SlicePath {
  arm: number;
  points: PlanePoint[];
  residual: number | null;
}

/** One picture of the panel. */
export interface SlicePicture {
  /** Tells pictures apart: the arms that it shows. */
  key: string;
  arms: number[];
  step: number;
  heights: Heights;
  paths: SlicePath[];
  /** Whether all of it has come. */
  complete: boolean;
}

/** The latest slice of every arm at or before the cursor. */
export function loggedPictures(log: RunLog, cursor: number): SlicePicture[] {
  return log.arms.flatMap((arm, index) => {
    const slice = lastUpToStep(arm.landscapes, cursor);
    return slice === undefined ? [] : [loggedPicture(slice, index)];
  });
}

function loggedPicture(slice: LandscapePoint, arm: number): SlicePicture {
  const points = slice.trajectory.flatMap(([a, b]) =>
    a === null || a === undefined || b === null || b === undefined ? [] : [[a, b] as PlanePoint],
  );
  return {
    key: `${arm}`,
    arms: [arm],
    step: slice.step,
    heights: { x: slice.grid.a ?? [], y: slice.grid.b ?? [], values: slice.values },
    paths: [{ arm, points, residual: slice.residual }],
    complete: true,
  };
}

/** The pictures of a stream, as far as they have come. */
export function streamedPictures(
  start: SliceStart,
  patches: ReadonlyMap<number, SlicePatch>,
): SlicePicture[] {
  return start.pictures.flatMap((picture, index) => {
    const patch = patches.get(index);
    if (patch === undefined) return [];
    return [
      {
        key: picture.arms.join(),
        arms: picture.arms,
        step: start.step,
        heights: { x: patch.grid.a, y: patch.grid.b, values: patch.values },
        paths: picture.paths.map((path) => ({
          arm: path.arm,
          points: path.points.map(([a, b]): PlanePoint => [a, b]),
          residual: path.residual,
        })),
        complete: patch.level === patch.levels - 1,
      },
    ];
  });
}

/** "the path leaves this plane by 34 %". */
export function residualWords(residual: number | null): string {
  if (residual === null || !Number.isFinite(residual)) return "where the path lies is not known";
  if (residual < 0.005) return "the path lies in this plane";
  return `the path leaves this plane by ${Math.round(100 * residual)} %`;
}

/** The heights that all pictures share, or null where each has its own. */
export function sharedRange(
  pictures: readonly SlicePicture[],
  shared: boolean,
): [number, number] | null {
  return shared ? heightRange(pictures.map((picture) => picture.heights)) : null;
}

/** Surfaces that may be alive at once: browsers keep few WebGL contexts. */
export const MOST_SURFACES = 2;

/** Which pictures are surfaces once `key` is to be one: the oldest makes room. */
export function withSurface(chosen: readonly string[], key: string): string[] {
  return [...chosen.filter((other) => other !== key), key].slice(-MOST_SURFACES);
}
