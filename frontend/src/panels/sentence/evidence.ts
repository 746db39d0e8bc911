/** How much a lead in one run says, and what was measured over seeds. */

import type { Preset } from "../../api/types";
import { fixed } from "../../format";
import { armName } from "../../state/arms";
import type { RunLog } from "../../state/log";
import type { MetricWords } from "../../state/metrics";
import { type Clause, nameOf, type Part } from "./parts";
import type { Row, Standings } from "./standings";

/** What a preset's seeds say of its arms. */
export type Expectation = Preset["expect"];

/** The best of the arms that stand against the one that it is to be compared with. */
export function lead(
  log: RunLog,
  { words, rows, falls, metric }: Standings,
  expectation: Expectation | null,
): Clause[] {
  const upright = rows.filter((row) => !falls.some((fall) => fall.arm === row.arm));
  const [best] = upright;
  if (best === undefined || upright.length < 2) return [];
  const other = rival(log, upright, best);
  const gap = Math.abs(best.value - other.value);
  const error = Math.hypot(best.error, other.error);
  const seeds =
    expectation?.metric === metric ? disagreement(log, expectation, best, other, words, error) : [];
  if (gap < error || gap === 0) {
    const why =
      gap === 0
        ? ": both are equal in this one seed"
        : `: within one standard error (${words.difference(error)}) of one seed`;
    return [
      [
        nameOf(log, best.arm),
        { text: " has " },
        { text: "no clear lead", mark: "strong" },
        { text: " over " },
        nameOf(log, other.arm),
        { text: why },
        ...seeds,
      ],
    ];
  }
  return [
    [
      nameOf(log, best.arm),
      { text: " is " },
      { text: `${words.difference(gap)} ahead`, mark: "strong" },
      { text: " of " },
      nameOf(log, other.arm),
      { text: significance(error > 0 ? gap / error : Number.POSITIVE_INFINITY) },
      ...seeds,
    ],
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
  if (!Number.isFinite(ratio)) return " in this one seed";
  if (ratio < 2) return `, but only ${fixed(ratio, 1)} standard errors of one seed`;
  return ratio < 10
    ? ` (${fixed(ratio, 1)} standard errors, one seed)`
    : " (over 10 standard errors, but one seed)";
}

/** What the preset's seeds measured of the two, where this run alone would say something else. */
function disagreement(
  log: RunLog,
  { baseline, differences, seeds }: Expectation,
  best: Row,
  other: Row,
  words: MetricWords,
  error: number,
): Part[] {
  const name = (row: Row) => armName(log.spec?.arms, row.arm);
  const arm = [best, other].find((row) => name(row) !== baseline);
  const base = [best, other].find((row) => name(row) === baseline);
  const measured = differences.find((one) => arm !== undefined && one.arm === name(arm));
  if (arm === undefined || base === undefined || measured === undefined) return [];
  const here = arm.value - base.value;
  const seen = Math.abs(here) < error ? 0 : Math.sign(here);
  const found = measured.low > 0 ? 1 : measured.high < 0 ? -1 : 0;
  if (seen === found) return [];
  const range = `${signed(measured.low, words)} to ${signed(measured.high, words)}`;
  const verdict = found === 0 ? ", which includes zero" : "";
  return [
    { text: "; over " },
    { text: `${seeds} seeds`, mark: "strong" },
    { text: ` the preset measured a lead of ${range} for ` },
    nameOf(log, arm.arm),
    { text: ` at the end${verdict}` },
  ];
}

function signed(value: number, words: MetricWords): string {
  return `${value < 0 ? "−" : "+"}${words.difference(Math.abs(value)).replace(" points", "")}`;
}
