/** Examples of an arm at a step. Images travel once, in the first record: later ones borrow them. */

import { lastUpToStep } from "../../state/column";
import type { ArmLog } from "../../state/log";

export function examplesAt(arm: ArmLog, step: number): readonly Record<string, unknown>[] {
  const record = lastUpToStep(arm.examples, step);
  const first = arm.examples[0];
  if (record === undefined || first === undefined || record === first) return record?.items ?? [];
  return record.items.map((item, index) => {
    const { image } = first.items[index] ?? {};
    return item.image == null && image != null ? { ...item, image } : item;
  });
}
