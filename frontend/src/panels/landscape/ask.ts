/** Slices on demand: the newest question counts, whoever leaves or asks anew cancels the last. */

import {
  type ReadonlySignal,
  type Signal,
  useComputed,
  useSignal,
  useSignalEffect,
} from "@preact/signals";
import { ApiError } from "../../api/client";
import {
  type AnySliceQuery,
  type SliceEvent,
  type SlicePatch,
  type SliceQuery,
  type SliceStart,
  streamSlice,
} from "../../api/slices";
import { cursor, run } from "../../state/signals";

export type Asking = "idle" | "computing" | { problem: string };

/** Scrubbing passes many snapshots; the one that it stays at is computed. */
const SETTLE_MS = 150;

/** Asks what `query` says, whenever it says something else; null asks nothing. */
export function useSlice(
  query: ReadonlySignal<AnySliceQuery | null>,
  onEvent: (event: SliceEvent) => void,
): Signal<Asking> {
  const state = useSignal<Asking>("idle");
  useSignalEffect(() => {
    const wanted = query.value;
    state.value = "idle";
    if (wanted === null) return;
    const stop = new AbortController();
    const ask = async (): Promise<void> => {
      state.value = "computing";
      try {
        await streamSlice(wanted, stop.signal, (event) => {
          if (event.event === "problem") state.value = { problem: event.data.message };
          else onEvent(event);
        });
        if (state.peek() === "computing") state.value = "idle";
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        state.value = { problem: error.message };
      }
    };
    const timer = setTimeout(() => void ask(), SETTLE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });
  return state;
}

export interface SliceAnswer {
  start: SliceStart;
  patches: ReadonlyMap<number, SlicePatch>;
}

/** The pictures of a slice through weights; those before stay until all of the new ones are there. */
export function usePictures(
  query: ReadonlySignal<SliceQuery | null>,
): [ReadonlySignal<SliceAnswer | null>, Signal<Asking>] {
  const shown = useSignal<SliceAnswer | null>(null);
  const coming = useSignal<SliceAnswer | null>(null);
  const state = useSlice(query, ({ event, data }) => {
    if (event === "start") coming.value = { start: data, patches: new Map() };
    if (event !== "patch" || coming.value === null) return;
    const { start, patches } = coming.value;
    coming.value = { start, patches: new Map(patches).set(data.picture, data) };
    if (coming.value.patches.size === start.pictures.length) shown.value = coming.value;
  });
  const about = useComputed(() => `${query.value?.run} ${query.value?.plane}`);
  useSignalEffect(() => {
    about.value;
    shown.value = null;
  });
  return [shown, state];
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
