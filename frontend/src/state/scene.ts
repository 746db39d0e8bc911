/** What a lesson shows in the lab beside it; on every other page there is no scene. */

import { computed, signal } from "@preact/signals";
import type { SceneView } from "../api/types";
import type { ArmStyle } from "./arms";
import { completed } from "./draft";
import { equivalent } from "./edit";
import { pointedArm } from "./frame";
import { canTrain, runSpec } from "./signals";

/** The scene beside the lesson; null: there is no lesson on the page. */
export const scene = signal<SceneView | null>(null);

/** The heights of descents on a surface, as far as the page beside the lesson knows them. */
export const descents = signal<readonly { label: string; values: readonly (number | null)[] }[]>(
  [],
);

/** Whether a control stays: a scene names those that do; without a server none has an effect. */
export function offers(control: string): boolean {
  return scene.value === null || (canTrain.value && scene.value.controls.includes(control));
}

/** Whether the scene points at a control, a chart or an arm of this name. */
export function isHighlighted(name: string): boolean {
  return scene.value?.highlight === name;
}

/** Whether the run on the page is the one that the scene is about. */
export const isOfScene = computed(() => {
  const wanted = scene.value?.spec;
  const shown = runSpec.value;
  return wanted != null && shown !== null && equivalent(completed(wanted), completed(shown));
});

/** The looks of arms: where the scene or the frame points at one of them, the others step back. */
export function pointedOut(styles: readonly ArmStyle[], labels: readonly string[]): ArmStyle[] {
  const pointed = pointedArm.value ?? labels.findIndex(isHighlighted);
  return styles.map((style, arm) =>
    pointed < 0 || arm === pointed ? style : { ...style, faded: true },
  );
}
