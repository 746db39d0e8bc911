/** Landscapes on demand. */

import { type ReadonlySignal, useComputed } from "@preact/signals";
import {
  type ArmPanel,
  type LandscapePatch,
  type LandscapeQuery,
  type LandscapeStart,
  picturedSteps,
  streamLandscape,
} from "../../api/landscapes";
import { type Ask, type Query, useQuery } from "../../state/query";
import { cursor, run } from "../../state/signals";
import { nearestSnapshot } from "./model";

export interface LandscapeAnswer {
  start: LandscapeStart;
  patches: ReadonlyMap<number, LandscapePatch>;
}

const askLandscapes: Ask<LandscapeQuery, LandscapeAnswer> = async (query, signal, receive) => {
  let start: LandscapeStart | null = null;
  let patches: ReadonlyMap<number, LandscapePatch> = new Map();
  for await (const { event, data } of streamLandscape(query, signal)) {
    if (event === "start") start = data;
    if (event !== "patch" || start === null) continue;
    patches = new Map(patches).set(data.picture, data);
    if (patches.size === start.pictures.length) receive({ start, patches });
  }
};

/** The pictures of the loss over weights; those before stay until all of the new ones are there. */
export function useLandscapes(
  query: ReadonlySignal<LandscapeQuery | null>,
): Query<LandscapeAnswer> {
  const about = useComputed(() => `${query.value?.run} ${query.value?.plane}`);
  return useQuery(query, askLandscapes, about);
}

/**
 * The step of the snapshot nearest to the playback step, which answers; null: there is none yet.
 * `panel`: of those only of which a file has the panel's pictures.
 */
export function useNearestSnapshot(panel: ArmPanel | null = null): ReadonlySignal<number | null> {
  return useComputed(() => {
    const log = run.value;
    const steps = log?.snapshots.map((one) => one.step) ?? [];
    const known = log === null || panel === null ? steps : picturedSteps(panel, log.id, steps);
    return nearestSnapshot(known, cursor.value);
  });
}
