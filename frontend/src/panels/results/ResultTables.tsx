/** The numbers of a reproduction: at a glance, and row by row beside the paper's. */

import type { ArmResult, RowResult } from "../../api/types";
import { fixed } from "../../format";
import { ForestBar } from "./ForestBar";
import {
  commonLabels,
  intervalWords,
  metricWords,
  paperGain,
  rangeOf,
  shownValue,
  standing,
} from "./numbers";

const MARKS = { better: "▲", worse: "▼", open: "" };
const MEANING = { better: ", better", worse: ", worse", open: "" };

/** Means of all rows in one table, where they have the same arms. */
export function Overview({ rows }: { rows: readonly RowResult[] }) {
  const labels = commonLabels(rows);
  const [first] = rows;
  if (labels === null || first === undefined || rows.length < 2) return null;
  return (
    <section class="panel" aria-labelledby="overview">
      <h3 id="overview">At a glance</h3>
      <p class="hint">
        Means over seeds; ▲ better and ▼ worse than {labels[0]} by a paired permutation test at 5 %,
        after Holm's correction over the row's arms.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus */}
      <section class="result-scroll" tabIndex={0} aria-label="Means of all rows">
        <table class="result-table">
          <thead>
            <tr>
              <th scope="col">row</th>
              {labels.map((label) => (
                <th scope="col" key={label}>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.title}>
                <th scope="row">
                  {row.title} <small>{metricWords(row.metric)}</small>
                </th>
                {row.arms.map((arm) => (
                  <Mean key={arm.label} row={row} arm={arm} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function Mean({ row, arm }: { row: RowResult; arm: ArmResult }) {
  const stands = standing(arm);
  return (
    <td class={`stands-${stands}`}>
      {shownValue(row.metric, arm.mean)}
      <span aria-hidden="true"> {MARKS[stands]}</span>
      <span class="visually-hidden">{MEANING[stands]}</span>
    </td>
  );
}

/** One row: every arm with its paired difference, and the paper's number where it is known. */
export function RowPanel({ row }: { row: RowResult }) {
  const beside = row.arms.some((arm) => arm.paper);
  const range = rangeOf(row);
  const base = row.arms[0]?.label ?? "";
  return (
    <section class="panel" aria-label={row.title}>
      <h3>
        {row.title}{" "}
        <small>
          {metricWords(row.metric)}; {row.seeds.length} seeds
        </small>
      </h3>
      {row.note !== "" && <p class="hint">{row.note}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus */}
      <section class="result-scroll" tabIndex={0} aria-label={`${row.title}, table`}>
        <table class="result-table">
          <thead>
            <tr>
              <th scope="col">arm</th>
              <th scope="col">ours</th>
              {beside && <th scope="col">paper</th>}
              <th scope="col">difference to {base}, 95 %</th>
              <th scope="col">{beside ? "◆ the paper's" : ""}</th>
              <th scope="col">better in</th>
              <th scope="col">p, Holm</th>
              {beside && <th scope="col">ours − paper, 95 %</th>}
            </tr>
          </thead>
          <tbody>
            {row.arms.map((arm) => (
              <tr key={arm.label}>
                <th scope="row">
                  {arm.label}
                  {arm.diverged > 0 && (
                    <small>
                      {" "}
                      diverged in {arm.diverged} of {arm.values.length}
                    </small>
                  )}
                </th>
                <td>{shownValue(row.metric, arm.mean)}</td>
                {beside && <td>{paperWords(row, arm)}</td>}
                <td>{arm.gain ? intervalWords(row.metric, arm.gain) : ""}</td>
                <td>
                  <ForestBar
                    arm={arm}
                    metric={row.metric}
                    range={range}
                    paper={paperGain(row, arm)}
                  />
                </td>
                <td>
                  {typeof arm.gain?.improved === "number"
                    ? `${Math.round(100 * arm.gain.improved)} %`
                    : ""}
                </td>
                <td>{pWords(arm)}</td>
                {beside && (
                  <td>{arm.beside_paper ? intervalWords(row.metric, arm.beside_paper) : ""}</td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

function pWords({ gain }: ArmResult): string {
  if (gain?.shows === "too few seeds") return gain.shows;
  const p = gain?.adjusted_p;
  if (typeof p !== "number") return "";
  return p < 0.0005 ? "< 0.001" : fixed(p, 3);
}

function paperWords({ metric }: RowResult, { paper }: ArmResult): string {
  if (!paper) return "";
  const mean = shownValue(metric, paper.mean);
  return typeof paper.sd === "number" ? `${mean} ± ${shownValue(metric, paper.sd)}` : mean;
}
