/** Again from the start: with the same weights, or with others. */

import { pause, seek } from "./clock";
import { draft, edit, loadDraft } from "./draft";
import { start } from "./session";
import { canTrain, ghost, runSpec } from "./signals";

/** Back to step 0: the same initial weights and batches, without the what-ifs since. */
export async function reset(): Promise<void> {
  const spec = runSpec.peek();
  if (spec === null) return;
  pause();
  if (spec.changes.length > 0 && canTrain.peek()) {
    loadDraft({ ...spec, changes: [] });
    await start();
    pause();
  }
  ghost.value = null;
  seek(0);
}

/** Trains again from other initial weights and on other batches. */
export async function newSeed(): Promise<void> {
  const spec = draft.peek();
  if (spec === null) return;
  if (spec.changes.length > 0) loadDraft({ ...spec, changes: [] });
  edit(["seed"], spec.seed + 1);
  await start();
}
