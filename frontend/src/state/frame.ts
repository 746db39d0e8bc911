/** What a frame in another page, or a file of one panel, shows of the comparing page. */

import { computed, signal } from "@preact/signals";
import { embedded } from "./address/router";
import { canTrain } from "./signals";

/** The panels of the comparing page by their names, as addresses and lessons say them. */
export const PANELS = {
  accuracy: "The test metric",
  sentence: "What happened, in words",
  loss: "Loss",
  gradients: "Gradients",
  curvature: "Curvature",
  cosine: "Hessian against Fisher",
  hessian_spectrum: "Spectrum of the Hessian",
  fisher_spectrum: "Spectrum of the Fisher matrix",
  gradient_norms: "Gradient norms of the samples",
  health: "Vanishing and exploding gradients",
  examples: "Examples of the test set",
  landscape: "Loss landscape",
  step: "What curvature does to a gradient",
  turn: "How far curvature can turn the gradient",
} as const;

export type PanelName = keyof typeof PANELS;

/** The panels that are shown; empty: all of them. */
export const shownPanels = signal<PanelName[]>([]);

/** The arm that an address points at, by its place; null: none. */
export const chosenArm = signal<number | null>(null);

/** Whether the page is these panels alone. */
export const framed = computed(
  () => shownPanels.value.length > 0 && (embedded.value || !canTrain.value),
);

/** The arm that stands out from the others; null: none does, as on the whole page. */
export const pointedArm = computed(() => (framed.value ? chosenArm.value : null));

export function isPanel(name: string): name is PanelName {
  return Object.hasOwn(PANELS, name);
}
