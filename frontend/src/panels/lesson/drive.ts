/** How a lesson drives the lab: a page's scene, and links in the text. */

import { batch, effect, signal, untracked } from "@preact/signals";
import type { SceneView, Spec } from "../../api/types";
import { surfacesAddress } from "../../pages/Surfaces";
import { threeNumbersAddress } from "../../pages/ThreeNumbers";
import { applyScene } from "../../state/address/compare";
import type { PageAddress } from "../../state/address/page";
import type { Properties } from "../../state/address/properties";
import { place } from "../../state/address/router";
import { goTo, pause, play, playing, seek } from "../../state/clock";
import { catalog, completed, edit } from "../../state/draft";
import { editSpec, equivalent } from "../../state/edit";
import type { RunLog } from "../../state/log";
import { descents, isOfScene, scene } from "../../state/scene";
import type { Path } from "../../state/schema";
import { canTrain, cursor, hasRun, run, showLog } from "../../state/signals";
import { gradientsAddress } from "../gradients/address";
import { saysLab } from "./lessons";

type Driven = Pick<PageAddress<Properties>, "show" | "amend" | "place">;

const ADDRESSES: Readonly<Record<string, Driven>> = {
  surfaces: surfacesAddress,
  "three-numbers": threeNumbersAddress,
  gradients: gradientsAddress,
};

/** The address of a page of the lab that has settings of its own. */
export function addressOf(page: string): Driven | undefined {
  return ADDRESSES[page];
}

/** Shows a scene in the lab; null: the lesson is left. */
export function showScene(next: SceneView | null): void {
  batch(() => {
    scene.value = next;
    if (next === null) return;
    if (next.spec !== null) applyScene(next.spec, next.search);
    else {
      descents.value = [];
      ADDRESSES[next.page]?.show(next.search);
    }
  });
}

/** Does what a link in the text says: `tikhonov=10`, `arms.2.tikhonov=10`, `step=40`. */
export function setOfScene(words: string): void {
  const now = scene.peek();
  if (now === null) return;
  if (now.page !== "compare") {
    ADDRESSES[now.page]?.amend(`?${words}`);
    return;
  }
  const { step, fields } = read(words);
  if (step !== null) {
    pause();
    goTo(step);
  }
  if (canTrain.peek()) for (const { path, value } of fields) edit(path, value);
  else if (fields.length > 0) {
    const found = keptRun(now, words);
    if (found !== null) showLog(found);
  }
}

/** The runs that a file has brought along. */
export const keptRuns = signal<readonly RunLog[]>([]);

/** Whether a link of the text has what it needs: a file has some runs inside and starts none. */
export function canSet(now: SceneView, words: string): boolean {
  const isAnswered = canTrain.peek() || now.page !== "compare";
  return isAnswered || read(words).fields.length === 0 || keptRun(now, words) !== null;
}

/** The run of the file that a link makes of the scene; null: it is not inside. */
function keptRun(now: SceneView, words: string): RunLog | null {
  const known = catalog.peek();
  if (known === null || now.spec === null) return null;
  const wanted = read(words).fields.reduce<Spec>(
    (spec, { path, value }) => editSpec(known, spec, path, value),
    completed(now.spec),
  );
  const isWanted = ({ spec }: RunLog) => spec !== null && equivalent(completed(spec), wanted);
  return keptRuns.value.find(isWanted) ?? null;
}

/** A link's words: a step to go to, and fields of the spec with their values. */
function read(words: string): { step: number | null; fields: { path: Path; value: unknown }[] } {
  const { step, ...others } = Object.fromEntries(new URLSearchParams(words));
  const fields = Object.entries(others).map(([path, text]) => {
    const number = Number(text);
    return {
      path: path.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
      value: text === "" || Number.isNaN(number) ? text : number,
    };
  });
  return { step: step === undefined ? null : Number(step), fields };
}

/**
 * Keeps playback to the scene's steps: it goes to the first once the run has come so far, and rests
 * at the last. The reader's own moves come after. Returns how to stop.
 */
export function keepToScene(): () => void {
  let applied: SceneView | null = null;
  const stopGoing = effect(() => {
    const now = scene.value;
    const log = run.value;
    if (now === null || now === applied || log === null || !isOfScene.value) return;
    const { start, stop } = now;
    // An address that says the step knows better.
    if (start === null || saysLab(place.peek().search)) {
      applied = now;
      return;
    }
    if (log.head < start) return;
    applied = now;
    untracked(() => {
      if (start === stop) pause();
      seek(start);
      if (start !== stop) play();
    });
  });
  const stopResting = effect(() => {
    const stop = scene.value?.stop ?? null;
    const isPast = stop !== null && cursor.value >= stop && hasRun.value && isOfScene.value;
    if (isPast && playing.value) untracked(() => rest(stop));
  });
  return () => {
    stopGoing();
    stopResting();
  };
}

/** Once it has rested there, Play goes on. */
let restedAt: SceneView | null = null;

function rest(stop: number): void {
  if (restedAt === scene.peek()) return;
  restedAt = scene.peek();
  pause();
  seek(stop);
}
