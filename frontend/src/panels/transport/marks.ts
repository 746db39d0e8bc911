/** What the time slider marks: spikes, changes, divergence. Few enough to see. */

import { formatCount, formatMeasured, formatSetting } from "../../format";
import { armName } from "../../state/arms";
import type { RunLog } from "../../state/log";

export interface Mark {
  kind: "spike" | "change" | "diverged";
  step: number;
  arm: number;
  title: string;
}

/** At most this many spikes are marked; of those that fall together the largest stands. */
const BINS = 80;

export function timeMarks(log: RunLog): Mark[] {
  const steps = log.spec?.steps ?? 1;
  const name = (arm: number) => armName(log.spec?.arms, arm);
  const marks: Mark[] = [];
  const worst = new Map<number, { size: number; mark: Mark }>();
  log.arms.forEach((arm, index) => {
    for (const spike of arm.spikes) {
      const bin = Math.floor((BINS * spike.step) / (steps + 1));
      const ratio = spike.norm / spike.median;
      const size = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
      if (size <= (worst.get(bin)?.size ?? 0)) continue;
      const times = Number.isFinite(size)
        ? `${formatMeasured(size, 2)} times the usual`
        : "not finite";
      const title = `${name(index)}: spike at step ${formatCount(spike.step)}, ${times}`;
      worst.set(bin, { size, mark: { kind: "spike", step: spike.step, arm: index, title } });
    }
    for (const change of arm.changes) {
      const parts = [
        change.tikhonov === null ? "" : `λ ${formatSetting(change.tikhonov)}`,
        change.lr === null ? "" : `learning rate ${formatSetting(change.lr)}`,
      ];
      marks.push({
        kind: "change",
        step: change.step,
        arm: index,
        title: `${name(index)}: ${parts.filter(Boolean).join(", ")} from step ${formatCount(change.step)}`,
      });
    }
    if (arm.diverged !== null) {
      const { step, reason } = arm.diverged;
      const title = `${name(index)} diverged at step ${formatCount(step)}: ${reason}`;
      marks.push({ kind: "diverged", step, arm: index, title });
    }
  });
  return [...[...worst.values()].map((found) => found.mark), ...marks];
}
