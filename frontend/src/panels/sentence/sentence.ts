/**
 * The sentence: what is true at a step, in words. Pure: a log and a step in, parts of text out, so
 * that the page can colour an arm's name and a screen reader hears the same.
 */

import { formatCount, formatMeasured, formatSetting, formatShare } from "../../format";
import { armName } from "../../state/arms";
import { lastUpToStep } from "../../state/column";
import { shareAbove, shareBelow, type Thresholds } from "../../state/health";
import type { ArmLog, ChangePoint, RunLog } from "../../state/log";
import { type MetricWords, metricWords } from "../../state/metrics";
import { thresholds as shownThresholds } from "../../state/signals";

/** A piece of the sentence: plain, an arm's name, or a word to mark. */
export interface Part {
  text: string;
  /** Index of the arm that the text names. */
  arm?: number;
  mark?: "strong" | "warn";
}

/** From this share of a batch on, vanishing or exploding gradients are worth a clause. */
const SHARE_WORTH_SAYING = 0.05;
const MAX_CLAUSES = 3;

/**
 * What is true of `log` at `step`. Empty: nothing is known yet.
 *
 * `primary` is the task's primary metric, `before` the run as it was before its last change,
 * `thresholds` say which gradients count as vanishing and exploding.
 */
export function sentence(
  log: RunLog,
  step: number,
  primary?: string,
  before: RunLog | null = null,
  thresholds: Thresholds = shownThresholds.value,
): Part[] {
  const standing = standings(log, step, primary);
  if (standing === null) return [];
  const parts = standing.rows.length > 0 ? leader(log, standing, step) : [];
  const clauses = [
    ...divergences(log, step),
    ...worstSpike(log, step),
    ...worstHealth(log, step, thresholds),
    ...lastChange(log, step, standing, before),
  ].slice(0, MAX_CLAUSES);
  for (const clause of clauses) {
    if (parts.length > 0) parts.push({ text: " " });
    parts.push(...clause, { text: "." });
  }
  return parts;
}

/** The sentence as plain text. */
export function plainText(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join("");
}

interface Row {
  arm: number;
  /** The evaluation's own step. */
  step: number;
  value: number;
  error: number;
}

interface Standings {
  metric: string;
  words: MetricWords;
  /** Arms by their last evaluation, the best first. */
  rows: Row[];
}

/** Where the arms stand at `step` in the primary metric; null before the first evaluation. */
export function standings(log: RunLog, step: number, primary?: string): Standings | null {
  const evaluations = log.arms.map((arm) => lastUpToStep(arm.evaluations, step));
  const first = evaluations.find((evaluation) => evaluation !== undefined);
  if (first === undefined) return null;
  const name =
    log.summary?.primary_metric ??
    (primary !== undefined && primary in first.values ? primary : Object.keys(first.values)[0]);
  if (name === undefined) return null;
  const words = metricWords(name);
  const rows = evaluations.flatMap((evaluation, arm) => {
    const value = evaluation?.values[name] ?? Number.NaN;
    if (!Number.isFinite(value) || hasDiverged(log.arms[arm], step)) return [];
    const error = evaluation?.values[`${name}_se`] ?? 0;
    const at = evaluation?.step ?? 0;
    return [{ arm, step: at, value, error: Number.isFinite(error) ? error : 0 }];
  });
  rows.sort((a, b) => (words.higherIsBetter ? b.value - a.value : a.value - b.value));
  return { metric: name, words, rows };
}

function hasDiverged(arm: ArmLog | undefined, step: number): boolean {
  return arm?.diverged != null && arm.diverged.step <= step;
}

function name(log: RunLog, arm: number): Part {
  return { text: armName(log.spec?.arms, arm), arm };
}

function leader(log: RunLog, { words, rows }: Standings, step: number): Part[] {
  const best = rows[0] as Row;
  if (rows.length === 1) {
    return [name(log, best.arm), { text: ` ${words.says(best.value)}.` }];
  }
  const last = rows.at(-1) as Row;
  if (step === 0 || rows.every((row) => row.value === best.value)) {
    const start =
      step === 0 ? "All arms start from the same weights: each " : "All arms are level: each ";
    return [{ text: `${start}${words.says(best.value)}.` }];
  }
  const other = rival(log, rows, best);
  const gap = Math.abs(best.value - other.value);
  const error = Math.hypot(best.error, other.error);
  const opening = [name(log, best.arm), { text: ` ${words.says(best.value)}` }];
  if (gap < error) {
    const between = rows.length > 2 && other === last ? "the arms are" : "the two are";
    return [
      ...opening,
      { text: ", " },
      { text: "no clear lead", mark: "strong" },
      { text: " over " },
      name(log, other.arm),
      { text: `: ${between} within one standard error (${words.difference(error)}).` },
    ];
  }
  const ratio = error > 0 ? gap / error : Number.POSITIVE_INFINITY;
  return [
    ...opening,
    { text: ", " },
    { text: `${words.difference(gap)} ahead`, mark: "strong" },
    { text: " of " },
    name(log, other.arm),
    { text: `${significance(ratio)}.` },
  ];
}

/** Whom the leader is compared with: vanilla if there is one behind it, else the next best. */
function rival(log: RunLog, rows: readonly Row[], best: Row): Row {
  const vanilla = rows.find((row) => {
    const arm = log.spec?.arms[row.arm];
    const isVanilla = arm?.curvature === "none" && arm.gradient === "plain" && arm.loss === null;
    return row !== best && isVanilla;
  });
  return vanilla ?? (rows[1] as Row);
}

function significance(ratio: number): string {
  if (!Number.isFinite(ratio)) return "";
  if (ratio < 2) return `, but only ${ratio.toFixed(1)} standard errors`;
  return ratio < 10 ? ` (${ratio.toFixed(1)} standard errors)` : " (over 10 standard errors)";
}

type Clause = Part[];

function divergences(log: RunLog, step: number): Clause[] {
  return log.arms.flatMap((arm, index) => {
    if (arm.diverged === null || arm.diverged.step > step) return [];
    const at = formatCount(arm.diverged.step);
    return [
      [
        name(log, index),
        { text: " " },
        { text: `diverged at step ${at}`, mark: "warn" } as Part,
        { text: `: ${arm.diverged.reason.replace(/\.$/, "")}` },
      ],
    ];
  });
}

function worstSpike(log: RunLog, step: number): Clause[] {
  let worst: { arm: number; step: number; ratio: number } | null = null;
  let count = 0;
  log.arms.forEach((arm, index) => {
    for (const spike of arm.spikes) {
      if (spike.step > step) break;
      count++;
      const ratio = Number.isNaN(spike.norm) ? Number.POSITIVE_INFINITY : spike.norm / spike.median;
      if (worst === null || ratio > worst.ratio) worst = { arm: index, step: spike.step, ratio };
    }
  });
  const found = worst as { arm: number; step: number; ratio: number } | null;
  if (found === null) return [];
  const size = Number.isFinite(found.ratio)
    ? `one gradient ${formatMeasured(found.ratio, 2)} times the usual`
    : "one gradient beyond all numbers";
  const others = count > 1 ? `, the worst of ${formatCount(count)}` : "";
  return [
    [
      name(log, found.arm),
      { text: " met a " },
      { text: "spike", mark: "warn" },
      { text: ` at step ${formatCount(found.step)}: ${size}${others}` },
    ],
  ];
}

function worstHealth(log: RunLog, step: number, thresholds: Thresholds): Clause[] {
  let worst: { arm: number; share: number; kind: "vanishing" | "exploding" } | null = null;
  log.arms.forEach((arm, index) => {
    const point = lastUpToStep(arm.curvature, step);
    if (point === undefined || hasDiverged(arm, step)) return;
    const health = {
      exploding: shareAbove(point.gradientNorms, thresholds.exploding),
      vanishing: shareBelow(point.gradientNorms, thresholds.vanishing),
    };
    for (const kind of ["exploding", "vanishing"] as const) {
      if (health[kind] >= SHARE_WORTH_SAYING && health[kind] > (worst?.share ?? 0)) {
        worst = { arm: index, share: health[kind], kind };
      }
    }
  });
  const found = worst as { arm: number; share: number; kind: "vanishing" | "exploding" } | null;
  if (found === null) return [];
  const limit =
    found.kind === "vanishing"
      ? `below ${formatSetting(10 ** thresholds.vanishing)}`
      : `above ${formatSetting(10 ** thresholds.exploding)}`;
  return [
    [
      {
        text: `${formatShare(found.share)} of a batch has ${found.kind === "exploding" ? "an" : "a"} `,
      },
      { text: `${found.kind} gradient`, mark: "warn" },
      { text: ` (${limit}) for ` },
      name(log, found.arm),
    ],
  ];
}

function lastChange(
  log: RunLog,
  step: number,
  standing: Standings,
  before: RunLog | null,
): Clause[] {
  let last: (ChangePoint & { arm: number; text: string }) | null = null;
  log.arms.forEach((arm, index) => {
    const change = lastUpToStep(arm.changes, step);
    if (change === undefined || (last !== null && change.step < last.step)) return;
    const settings = [
      change.tikhonov === null ? null : `λ ${formatSetting(change.tikhonov)}`,
      change.lr === null ? null : `learning rate ${formatSetting(change.lr)}`,
    ].filter((setting) => setting !== null);
    last = { ...change, arm: index, text: settings.join(" and ") };
  });
  const found = last as (ChangePoint & { arm: number; text: string }) | null;
  if (found === null) return [];
  const since = ` has ${found.text} since step ${formatCount(found.step)}`;
  return [[name(log, found.arm), { text: since }, ...effect(found, step, standing, before)]];
}

/** What a change has done to its arm, against the same arm without it at the same step. */
function effect(
  { arm, step: since, tikhonov, lr }: ChangePoint & { arm: number },
  step: number,
  now: Standings,
  before: RunLog | null,
): Part[] {
  const then = before === null ? null : standings(before, step, now.metric);
  const changed = now.rows.find((row) => row.arm === arm);
  const unchanged = then?.rows.find((row) => row.arm === arm);
  if (changed === undefined || unchanged === undefined || changed.step !== unchanged.step)
    return [];
  if (changed.step <= since) return []; // measured before it could do anything
  const theirs = before?.arms[arm]?.changes.find((change) => change.step === since);
  if (theirs?.tikhonov === tikhonov && theirs?.lr === lr) return []; // it is not without
  const gap = changed.value - unchanged.value;
  const size = now.words.difference(Math.abs(gap));
  if (gap === 0) return [{ text: ", and stands where it stood without" }];
  const better = gap > 0 === now.words.higherIsBetter;
  const words = `${size} ${better ? "better" : "worse"}`;
  const error = Math.hypot(changed.error, unchanged.error);
  if (Math.abs(gap) < error) {
    return [{ text: `: ${words} than without, within one standard error` }];
  }
  return [{ text: ": " }, { text: words, mark: "strong" }, { text: " than without" }];
}
