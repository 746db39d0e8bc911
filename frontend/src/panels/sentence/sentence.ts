/**
 * The sentence: what is true at a step, in words. Pure: a log and a step in, parts of text out, so
 * that the page can colour an arm's name and a screen reader hears the same.
 */

import { formatCount, formatMeasured } from "../../format";
import { countUpToStep, lastUpToStep } from "../../state/column";
import type { Thresholds } from "../../state/health";
import type { RunLog, SpikePoint } from "../../state/log";
import { thresholds as shownThresholds } from "../../state/signals";
import { worstAlarm } from "./alarms";
import { lastChange } from "./changes";
import { type Expectation, lead } from "./evidence";
import { type Clause, listed, nameOf, type Part } from "./parts";
import { type Fall, type Standings, spikeSize, standings } from "./standings";
import { turned } from "./turned";

/** After what has become of each arm, at most so many clauses; many arms leave room for fewer. */
const mostClauses = (arms: number): number => (arms > 4 ? 2 : 3);

export interface Context {
  /** The task's primary metric. */
  primary?: string | undefined;
  /** The run as it was before its last change. */
  before?: RunLog | null;
  /** Which gradients count as vanishing and exploding. */
  thresholds?: Thresholds;
  /** What the run's preset measured over seeds. */
  expectation?: Expectation | null;
}

/** What is true of `log` at `step`: every arm's fate, then why. Empty: nothing is known yet. */
export function sentence(log: RunLog, step: number, context: Context = {}): Part[] {
  const { primary, before = null, expectation = null } = context;
  const standing = standings(log, step, primary);
  if (standing === null) return [];
  const clauses = [
    ...fates(log, standing, step),
    ...[
      ...lastChange(log, step, standing, before),
      ...lead(log, standing, step === 0 ? null : expectation).slice(0, step === 0 ? 0 : 1),
      ...notices(log, standing, step),
      ...weathered(log, standing, step),
      ...worstAlarm(log, step, standing, context.thresholds ?? shownThresholds.value),
      ...turned(log, step, standing),
    ].slice(0, mostClauses(log.arms.length)),
  ];
  return clauses.flatMap((clause, index) => [
    ...(index > 0 ? [{ text: " " }] : []),
    ...clause,
    { text: "." },
  ]);
}

/** What has become of every arm: who diverged, who fell, who stands where. */
function fates(log: RunLog, standing: Standings, step: number): Clause[] {
  const { rows, words, falls, diverged } = standing;
  const clauses: Clause[] = [];
  if (diverged.length > 0) {
    clauses.push(
      listed(
        diverged.map(({ arm, step: at, reason }) => [
          nameOf(log, arm),
          { text: " " },
          { text: `diverged at step ${formatCount(at)}`, mark: "warn" },
          { text: ` (${reason.replace(/\.$/, "")})` },
        ]),
      ),
    );
  }
  if (falls.length > 0) clauses.push(listed(falls.map((fall) => fallen(log, standing, fall))));
  const upright = rows.filter((row) => !falls.some((fall) => fall.arm === row.arm));
  const [best] = upright;
  if (best === undefined) return clauses;
  const isAlike = upright.length > 1 && upright.every((row) => row.value === best.value);
  if (isAlike && upright.length === log.arms.length) {
    const start = step === 0 ? "All arms start from the same weights: each " : "Each arm ";
    return [[{ text: `${start}${words.says(best.value)}` }]];
  }
  const others = upright
    .slice(1)
    .map((row): Clause => [nameOf(log, row.arm), { text: ` ${words.value(row.value)}` }]);
  const verb = falls.length > 0 && upright.length > 0 ? held(upright.length) : "";
  clauses.push([
    ...listed([[nameOf(log, best.arm), { text: ` ${words.says(best.value)}` }], ...others], ", "),
    { text: verb },
  ]);
  return clauses;
}

function held(arms: number): string {
  return arms === 1 ? ": it held" : arms === 2 ? ": both held" : ": they held";
}

function fallen(log: RunLog, { words }: Standings, { arm, from, to, spike }: Fall): Clause {
  const why =
    spike === null
      ? ""
      : ` after a spike at step ${formatCount(spike.step)}, ${sizeOf(spike)} its usual gradient`;
  return [
    nameOf(log, arm),
    { text: " " },
    { text: `fell from ${words.value(from)} to ${words.value(to)}`, mark: "warn" },
    { text: why },
  ];
}

/** What keeps arms from learning, as their last evaluation says. */
function notices(log: RunLog, { diverged }: Standings, step: number): Clause[] {
  return log.arms.flatMap((arm, index) => {
    const last = lastUpToStep(arm.evaluations, step)?.step;
    if (diverged.some((fate) => fate.arm === index)) return [];
    return arm.notices
      .filter((notice) => notice.step === last)
      .map((notice): Clause => [nameOf(log, index), { text: `: ${notice.message}` }]);
  });
}

/** The worst spike that an arm got over. */
function weathered(log: RunLog, { falls, diverged }: Standings, step: number): Clause[] {
  let worst: { arm: number; spike: SpikePoint; count: number } | null = null;
  for (const [arm, { spikes }] of log.arms.entries()) {
    if ([...falls, ...diverged].some((fate) => fate.arm === arm)) continue;
    const seen = spikes.slice(0, countUpToStep(spikes, step));
    for (const spike of seen) {
      if (worst === null || spikeSize(spike) > spikeSize(worst.spike)) {
        worst = { arm, spike, count: seen.length };
      }
    }
  }
  if (worst === null) return [];
  const { arm, spike, count } = worst;
  const others = count > 1 ? `, the worst of ${formatCount(count)}` : "";
  return [
    [
      nameOf(log, arm),
      { text: " held through a " },
      { text: "spike", mark: "warn" },
      { text: ` at step ${formatCount(spike.step)}, ${sizeOf(spike)} its usual gradient${others}` },
    ],
  ];
}

/** "25,000 times" what is usual. */
function sizeOf(spike: SpikePoint): string {
  const ratio = spikeSize(spike);
  return Number.isFinite(ratio) ? `${formatMeasured(ratio, 2)} times` : "infinitely many times";
}
