/** How each task's examples are drawn. A task of its own adds one line here. */

import type { ComponentType } from "preact";
import { Classification } from "./Classification";
import { Ranking, rankingGroups } from "./Ranking";

/** One arm's examples at the playback step, images included; `group`: which part of them to show. */
export interface ExamplesProps {
  items: Record<string, unknown>[];
  group: number;
}

export interface ExamplesView {
  title: string;
  subtitle: string;
  /** The parts (test sets) that the items fall into, shown one at a time. */
  groups?(items: Record<string, unknown>[]): number[];
  Arm: ComponentType<ExamplesProps>;
}

const VIEWS: Record<string, ExamplesView> = {
  ranking: {
    title: "What each arm says",
    subtitle: "smallest to largest, the same test set for all",
    groups: rankingGroups,
    Arm: Ranking,
  },
  classification: {
    title: "What each arm says",
    subtitle: "beside each test image the digit that the arm sees",
    Arm: Classification,
  },
};

/** The view of a task's examples; undefined where the task has none. */
export function examplesView(task: string): ExamplesView | undefined {
  return VIEWS[task];
}
