/** What is out of order with an arm's gradients, measured against its own past. */

import { formatShare } from "../../format";
import { countUpToStep } from "../../state/column";
import { quantile, shareAbove, shareBelow, type Thresholds } from "../../state/health";
import type { CurvaturePoint, RunLog } from "../../state/log";
import { type Clause, nameOf } from "./parts";
import { hasDiverged, type Standings } from "./standings";

/** From this share of a batch on, vanishing or exploding gradients are worth a clause. */
const SHARE_WORTH_SAYING = 0.05;
/** So many earlier batches say what is usual for an arm. */
const LEAST_PAST = 2;
/** A change is a tenfold one, in powers of ten. */
const TENFOLD = 1;

interface Alarm {
  arm: number;
  kind: "vanishing" | "exploding";
  share: number;
}

/**
 * The worst change of an arm's gradients, if there is one. Norms that were usual for the arm and
 * its loss from the start are no alarm; neither are those that vanish because the samples are
 * learned.
 */
export function worstAlarm(
  log: RunLog,
  step: number,
  standing: Standings,
  thresholds: Thresholds,
): Clause[] {
  const alarms = log.arms.flatMap((arm, index): Alarm[] => {
    const points = arm.curvature.slice(0, countUpToStep(arm.curvature, step));
    const now = points.pop();
    if (now === undefined || points.length < LEAST_PAST || hasDiverged(arm, step)) return [];
    const exploding = explodingShare(now, points, thresholds);
    const isWorse = standing.falls.some((fall) => fall.arm === index);
    const vanishing = isWorse ? vanishingShare(now, points, thresholds) : 0;
    return [
      { arm: index, kind: "exploding", share: exploding },
      { arm: index, kind: "vanishing", share: vanishing },
    ];
  });
  const worst = alarms.sort((a, b) => b.share - a.share)[0];
  if (worst === undefined || worst.share < SHARE_WORTH_SAYING) return [];
  const { arm, kind, share } = worst;
  const [before, marked] =
    kind === "exploding"
      ? [" of a batch has gradients ", "over ten times as large as usual"]
      : [" of a batch has ", "no gradient left"];
  return [
    [
      { text: formatShare(share) + before },
      { text: marked, mark: "warn" },
      { text: " for " },
      nameOf(log, arm),
    ],
  ];
}

/** The share above ten times the arm's usual norm, and above the threshold. */
function explodingShare(
  now: CurvaturePoint,
  past: readonly CurvaturePoint[],
  { exploding }: Thresholds,
): number {
  const usual = median(past.map((point) => quantile(point.gradientNorms, 0.5)));
  const limit = Math.max(exploding, Math.log10(usual) + TENFOLD);
  return Number.isNaN(limit) ? 0 : shareAbove(now.gradientNorms, limit);
}

/** The share without a gradient, beyond what was usual for the arm. */
function vanishingShare(
  now: CurvaturePoint,
  past: readonly CurvaturePoint[],
  { vanishing }: Thresholds,
): number {
  const usual = median(past.map((point) => shareBelow(point.gradientNorms, vanishing)));
  return shareBelow(now.gradientNorms, vanishing) - usual;
}

function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
