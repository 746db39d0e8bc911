/** What if? Another setting of an arm from a step on: the run forks there. */

import { batch, computed } from "@preact/signals";
import { submitRun } from "../api/client";
import { pause, play, seek } from "./clock";
import { loadDraft, problems } from "./draft";
import { refines, whatIf } from "./edit";
import {
  discardOwn,
  follow,
  followed,
  perform,
  session,
  show,
  stopOwn,
  type WhatIf,
} from "./session";
import { cursor, ghost, overlays, run } from "./signals";

/** What a what-if may change. */
export type Setting = keyof WhatIf["setting"];

/** The what-if that is being asked, until its curves are there. */
export const asking = computed<WhatIf | null>(() => {
  const now = session.value;
  return now.kind === "asking" ? now.whatIf : null;
});

/** Waits so long for the drag to rest. */
const ASK_MS = 250;
/** A drag of the same setting so soon after a what-if goes on trying: it asks from the same step. */
const SAME_DRAG_MS = 3000;

const last = { arm: -1, key: "", step: 0, at: Number.NEGATIVE_INFINITY };

/** The step from which a drag that begins now asks what if. Playback rests there. */
export function beginDrag(arm: number, key: Setting): number {
  const goesOn = arm === last.arm && key === last.key;
  const soon = performance.now() - last.at < SAME_DRAG_MS;
  pause();
  return goesOn && soon ? last.step : Math.round(cursor.peek());
}

/**
 * Forks the run on the page: `arm` goes on with another setting from `step`. The curves so far stay
 * as the ghost. Many calls in a row: the last one counts.
 */
export function ask(arm: number, step: number, key: Setting, value: number): void {
  Object.assign(last, { arm, key, step, at: performance.now() });
  const question: WhatIf = { arm, step, setting: { [key]: value } };
  const work = async (signal: AbortSignal): Promise<void> => {
    await resting(ASK_MS, signal);
    await fork(question, signal);
  };
  void perform({ kind: "asking", whatIf: question }, work, null);
}

async function fork({ arm, step: wanted, setting }: WhatIf, signal: AbortSignal): Promise<void> {
  const parent = run.peek();
  if (parent?.spec == null) return;
  const step = Math.min(wanted, parent.spec.steps - 1);
  const spec = whatIf(parent.spec, arm, step, setting);
  // Dragging again at the same place: it is still compared with the same run.
  const again = refines(parent.spec, spec) && ghost.peek() !== null;
  const before = followed.peek();
  pause();
  // It goes on from what it is compared with, so that a try before it need not stay.
  const answer = await submitRun(spec, again ? (ghost.peek()?.id ?? parent.id) : parent.id);
  if (answer.id === parent.id) {
    seek(step);
    play();
    return;
  }
  stopOwn(before);
  const following = follow(answer, spec, !answer.reused);
  try {
    // The fork's log repeats the parent's up to the change: show it once it has got there.
    await following.reached(step, signal);
  } catch (error) {
    discardOwn(following);
    throw error;
  }
  batch(() => {
    problems.value = [];
    last.at = performance.now();
    if (!again) ghost.value = run.peek();
    overlays.value = [];
    show(following);
    loadDraft(following.log.peek().spec ?? spec);
    seek(step);
    play();
  });
  if (again) discardOwn(before);
}

/** Resolves after a while; rejects where `signal` says so first. */
function resting(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
