/** How a lesson drives the lab: a page's scene, and links in the text. */

import { batch, effect, untracked } from "@preact/signals";
import type { SceneView } from "../../api/types";
import { surfacesAddress } from "../../pages/Surfaces";
import { threeNumbersAddress } from "../../pages/ThreeNumbers";
import { applyScene } from "../../state/address/compare";
import type { PageAddress } from "../../state/address/page";
import type { Properties } from "../../state/address/properties";
import { pause, play, playing, seek } from "../../state/clock";
import { edit } from "../../state/draft";
import { descents, isOfScene, scene } from "../../state/scene";
import { cursor, hasRun, run } from "../../state/signals";
import { gradientsAddress } from "../gradients/address";

const ADDRESSES: Readonly<Record<string, Pick<PageAddress<Properties>, "show" | "amend">>> = {
  surfaces: surfacesAddress,
  "three-numbers": threeNumbersAddress,
  gradients: gradientsAddress,
};

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
  for (const [path, text] of new URLSearchParams(words)) {
    const number = Number(text);
    const value = text === "" || Number.isNaN(number) ? text : number;
    if (path === "step") {
      pause();
      seek(Number(value));
    } else {
      const keys = path.split(".").map((key) => (/^\d+$/.test(key) ? Number(key) : key));
      edit(keys, value);
    }
  }
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
    if (start === null) {
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
