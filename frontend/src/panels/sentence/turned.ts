/** What curvature does to the steps of the best arm that uses it. */

import { takesNewtonStep } from "../../state/edit";
import type { ArmLog, RunLog } from "../../state/log";
import { lengthWords, turnWords } from "../curvature/step";
import { type Clause, nameOf } from "./parts";
import type { Standings } from "./standings";

/** Batches differ: the median of so many logged steps is said. */
const BATCHES = 20;

/** How far curvature turns and rescales the steps of the best arm that takes whole Newton steps. */
export function turned(log: RunLog, step: number, { rows, falls }: Standings): Clause[] {
  const best = rows.find(({ arm }) => {
    const own = log.spec?.arms[arm];
    const isWhole = own !== undefined && takesNewtonStep(own) && own.component === "full";
    return isWhole && !falls.some((fall) => fall.arm === arm);
  });
  const arm = best && log.arms[best.arm];
  if (best === undefined || arm === undefined) return [];
  const [ratio, degrees] = [median(lately(arm, step, ratioAt)), median(lately(arm, step, turnAt))];
  if (ratio === null || degrees === null) return [];
  const change = { ratio, degrees };
  return [
    [
      { text: "Lately the curvature of " },
      nameOf(log, best.arm),
      { text: ` typically ${lengthWords(change, "a")} ${turnWords(change)}` },
    ],
  ];
}

type At = (arm: ArmLog, index: number) => number;
const valueAt = (arm: ArmLog, name: string, index: number): number =>
  arm.metrics[name]?.at(index) ?? Number.NaN;
const turnAt: At = (arm, index) => valueAt(arm, "turn", index);
const ratioAt: At = (arm, index) =>
  valueAt(arm, "direction_norm", index) / valueAt(arm, "output_gradient_norm", index);

/** The last values up to a step. */
function lately(arm: ArmLog, step: number, at: At): number[] {
  const end = arm.steps.countUpTo(step);
  const first = Math.max(0, end - BATCHES);
  return Array.from({ length: end - first }, (_, index) => at(arm, first + index));
}

function median(values: readonly number[]): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
