/** How each task's examples are drawn. A task of its own adds one line here. */

import type { ComponentType } from "preact";
import { Classification } from "./Classification";
import { Ranking } from "./Ranking";

/** One arm's examples at the playback step; `items` carry their images from the first record on. */
export interface ExamplesProps {
  items: Record<string, unknown>[];
}

export interface ExamplesView {
  title: string;
  subtitle: string;
  Arm: ComponentType<ExamplesProps>;
}

const VIEWS: Record<string, ExamplesView> = {
  ranking: {
    title: "What each arm says",
    subtitle: "smallest to largest, the same test sets for all",
    Arm: Ranking,
  },
  classification: {
    title: "What each arm says",
    subtitle: "the same test images for all",
    Arm: Classification,
  },
};

/** The view of a task's examples; undefined where the task has none. */
export function examplesView(task: string): ExamplesView | undefined {
  return VIEWS[task];
}
