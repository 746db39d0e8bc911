/**
 * Examples of an arm at a step. Images travel once, in the first record: later ones borrow them.
 * Tasks are open: what an example is of is told by what only the task's own examples have.
 */

import type { Example, Schemas } from "../../api/types";
import { lastUpToStep } from "../../state/column";
import type { ArmLog } from "../../state/log";

export type RankingItem = Schemas["RankingExample"];
export type ClassItem = Schemas["ClassificationExample"];
export type MapItem = Schemas["ShortestPathExample"];

export function isRankingItem(item: Example): item is RankingItem {
  return "true_rank" in item;
}

export function isClassItem(item: Example): item is ClassItem {
  return "predicted" in item;
}

export function isMapItem(item: Example): item is MapItem {
  return "predicted_path" in item;
}

export function examplesAt(arm: ArmLog, step: number): readonly Example[] {
  const record = lastUpToStep(arm.examples, step);
  const first = arm.examples[0];
  if (record === undefined || first === undefined || record === first) return record?.items ?? [];
  return record.items.map((item, index) => {
    const image = imageOf(first.items[index]);
    return imageOf(item) == null && image != null ? { ...item, image } : item;
  });
}

function imageOf(item: Example | undefined): unknown {
  return item !== undefined && "image" in item ? item.image : null;
}
