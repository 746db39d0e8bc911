/** How to show what a run says: the server's words, looks and thresholds. A report embeds them. */

import { signal } from "@preact/signals";
import type { Catalog } from "../api/types";

export type Vocabulary = Pick<
  Catalog,
  "metrics" | "labels" | "thresholds" | "arm_styles" | "up_to_constant" | "conditions"
>;

/** Empty until the server has said it: nothing is shown before. */
export const vocabulary = signal<Vocabulary>({
  metrics: { tasks: {}, steps: [] },
  labels: {},
  thresholds: { vanishing: 0, exploding: Number.POSITIVE_INFINITY, spike_factor: 1 },
  arm_styles: [],
  up_to_constant: [],
  conditions: {},
});
