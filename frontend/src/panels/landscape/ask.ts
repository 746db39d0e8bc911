/** Landscapes on demand. */

import { type ReadonlySignal, useComputed } from "@preact/signals";
import {
  type LandscapePatch,
  type LandscapeQuery,
  type LandscapeStart,
  streamLandscape,
} from "../../api/landscapes";
import { type Ask, type Query, useQuery } from "../../state/query";
import { cursor, run } from "../../state/signals";

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

/** The step of the snapshot nearest to the playback step, which answers; null: there is none yet. */
export function useNearestSnapshot(): ReadonlySignal<number | null> {
  return useComputed(() => {
    const at = cursor.value;
    const steps = run.value?.snapshots.map((one) => one.step) ?? [];
    return steps.reduce<number | null>(
      (best, step) => (best === null || Math.abs(step - at) < Math.abs(best - at) ? step : best),
      null,
    );
  });
}
