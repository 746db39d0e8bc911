/** What the last change of a setting was, and what it has done to its arm. */

import { formatCount, formatSetting } from "../../format";
import { lastUpToStep } from "../../state/column";
import type { ChangePoint, RunLog } from "../../state/log";
import { type Clause, nameOf, type Part } from "./parts";
import { type Standings, standings } from "./standings";

export function lastChange(
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
  return [[nameOf(log, found.arm), { text: since }, ...effect(found, step, standing, before)]];
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
  if (gap === 0) return [{ text: ", with the same result as without" }];
  const better = gap > 0 === now.words.higherIsBetter;
  const words = `${size} ${better ? "better" : "worse"}`;
  const error = Math.hypot(changed.error, unchanged.error);
  if (Math.abs(gap) < error) {
    return [{ text: `: ${words} than without, within one standard error` }];
  }
  return [{ text: ": " }, { text: words, mark: "strong" }, { text: " than without" }];
}
