/**
 * Examples of an arm at a step. Images, and all that never changes, travel once, in the first record:
 * later ones borrow them.
 * Tasks are open: what an example is of is told by what only the task's own examples have.
 */

import type { Example, Schemas } from "../../api/types";
import { lastUpToStep } from "../../state/column";
import type { ArmLog } from "../../state/log";

export type RankingItem = Schemas["RankingExample"];
export type ClassItem = Schemas["ClassificationExample"];
export type MapItem = Schemas["ShortestPathExample"];
export type TreeItem = Schemas["SpanningTreeExample"];
export type DriveItem = Schemas["TrajectoryExample"];
export type HeatItem = Schemas["HeatExample"];
export type DiscsItem = Schemas["DiscsExample"];
export type JigsawItem = Schemas["JigsawExample"];
export type ForecastItem = Schemas["ForecastExample"];

export function isRankingItem(item: Example): item is RankingItem {
  return "true_rank" in item;
}

export function isClassItem(item: Example): item is ClassItem {
  return "predicted" in item;
}

export function isMapItem(item: Example): item is MapItem {
  return "predicted_path" in item;
}

export function isTreeItem(item: Example): item is TreeItem {
  return "true_net" in item;
}

export function isDriveItem(item: Example): item is DriveItem {
  return "way_points" in item;
}

export function isHeatItem(item: Example): item is HeatItem {
  return "reconstruction" in item;
}

export function isDiscsItem(item: Example): item is DiscsItem {
  return "drawn" in item;
}

export function isJigsawItem(item: Example): item is JigsawItem {
  return "placed" in item;
}

export function isForecastItem(item: Example): item is ForecastItem {
  return "forecast" in item;
}

export function examplesAt(arm: ArmLog, step: number): readonly Example[] {
  const record = lastUpToStep(arm.examples, step);
  const first = arm.examples[0];
  if (record === undefined || first === undefined || record === first) return record?.items ?? [];
  return record.items.map((item, index) => borrow(item, first.items[index]));
}

/**
 * The step whose examples are shown, and the older step of each arm that diverged before it.
 * All arms that go on have examples of the same steps.
 */
export function agesOf(
  arms: readonly Pick<ArmLog, "examples" | "diverged">[],
  step: number,
): { shown: number | null; older: (number | null)[] } {
  const steps = arms.map((arm) => lastUpToStep(arm.examples, step)?.step ?? null);
  const going = steps.filter((at, arm) => at !== null && !hasDiverged(arms[arm], step));
  const known = (going.length > 0 ? going : steps).filter((at) => at !== null);
  const shown = known.length === 0 ? null : Math.max(...known);
  const older = steps.map((at, arm) =>
    at !== null && shown !== null && at < shown && hasDiverged(arms[arm], step) ? at : null,
  );
  return { shown, older };
}

function hasDiverged(arm: Pick<ArmLog, "diverged"> | undefined, step: number): boolean {
  return arm?.diverged != null && arm.diverged.step <= step;
}

/** What travels in the first record alone. */
const ONCE = ["image", "seen", "wanted"];

function borrow(item: Example, from: Example | undefined): Example {
  const known: Record<string, unknown> = { ...from };
  const own: Record<string, unknown> = { ...item };
  const lent = ONCE.filter((key) => own[key] == null && known[key] != null);
  return lent.length === 0
    ? item
    : { ...item, ...Object.fromEntries(lent.map((key) => [key, known[key]])) };
}
