/** How each task's examples are drawn. A task of its own adds one line here. */

import type { ComponentType } from "preact";
import type { Example } from "../../api/types";
import { Classification } from "./Classification";
import { Discs, DiscsNotes, SeenDiscs } from "./Discs";
import { Drive, DriveNotes } from "./Drive";
import { Forecast, ForecastNotes } from "./Forecast";
import { Heat, HeatNotes, TrueHeat } from "./Heat";
import { isTreeItem } from "./items";
import { Jigsaw, JigsawNotes, WholePictures } from "./Jigsaw";
import { MapNotes } from "./MapNotes";
import { mapGroups } from "./maps";
import type { ExamplesProps, SharedProps } from "./props";
import { Ranking, rankingGroups } from "./Ranking";
import { ShortestPath, TrueMap } from "./ShortestPath";
import { SpanningTree, TrueTree } from "./SpanningTree";

export interface ExamplesView {
  title: string;
  subtitle: string;
  /** The parts (test sets) that the items fall into, shown one at a time. */
  groups?(items: readonly Example[]): number[];
  /** What a part is called; "Test set" without it. */
  part?: string;
  /** Arms side by side, not one below another. */
  strip?: boolean;
  /** A row before the arms'. */
  Truth?: ComponentType<SharedProps>;
  Arm: ComponentType<ExamplesProps>;
  /** Below the arms. */
  Notes?: ComponentType<SharedProps>;
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
  shortest_path: {
    title: "What each arm finds",
    subtitle: "the cheapest path by its own costs, on the same test map",
    groups: mapGroups,
    part: "Test map",
    strip: true,
    Truth: TrueMap,
    Arm: ShortestPath,
    Notes: MapNotes,
  },
  spanning_tree: {
    title: "What each arm builds",
    subtitle: "the cheapest road net by its own costs, on the same test map",
    groups: (items) => items.filter(isTreeItem).map((item) => item.map),
    part: "Test map",
    strip: true,
    Truth: TrueTree,
    Arm: SpanningTree,
  },
  trajectory: {
    title: "Where each arm drives",
    subtitle: "the same five test paths from one start",
    strip: true,
    Arm: Drive,
    Notes: DriveNotes,
  },
  heat: {
    title: "What each arm reconstructs",
    subtitle: "the same blurred test pictures, sharpened",
    Truth: TrueHeat,
    Arm: Heat,
    Notes: HeatNotes,
  },
  discs: {
    title: "Which discs each arm sees",
    subtitle: "drawn over the same noisy test pictures",
    Truth: SeenDiscs,
    Arm: Discs,
    Notes: DiscsNotes,
  },
  jigsaw: {
    title: "How each arm puts pictures together",
    subtitle: "the same shuffled test puzzles",
    Truth: WholePictures,
    Arm: Jigsaw,
    Notes: JigsawNotes,
  },
  forecast: {
    title: "What each arm forecasts",
    subtitle: "over how the same four test windows go on",
    Arm: Forecast,
    Notes: ForecastNotes,
  },
};

/** The view of a task's examples; undefined where the task has none. */
export function examplesView(task: string): ExamplesView | undefined {
  return VIEWS[task];
}
