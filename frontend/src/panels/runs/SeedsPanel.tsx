/** The picked runs compared over their seeds: a sentence, a table with a forest plot, files. */

import { computed } from "@preact/signals";
import { request } from "../../api/client";
import type { ComparisonAnswer } from "../../api/types";
import { freshness, problemOf, useQuery } from "../../state/query";
import { ForestBar } from "../results/ForestBar";
import { rangeOf } from "../results/numbers";
import { picked } from "./list";
import "../results/results.css";

const FORMATS = {
  csv: "CSV",
  md: "Markdown",
  tex: "LaTeX",
  html: "Forest plot",
  svg: "SVG",
  pdf: "PDF",
};

const question = computed(() => (picked.value.length > 1 ? picked.value.join(",") : null));

async function ask(
  runs: string,
  stop: AbortSignal,
  receive: (answer: ComparisonAnswer) => void,
): Promise<void> {
  receive(await request<ComparisonAnswer>(`api/comparisons?runs=${runs}`, { signal: stop }));
}

export function SeedsPanel() {
  const asked = useQuery(question, ask);
  const answer = asked.answer.value;
  const refused = problemOf(asked.state.value);
  const runs = question.value;
  if (runs === null) return null;
  return (
    <section class="panel seeds" aria-labelledby="seeds-title">
      <h3 id="seeds-title">Over seeds</h3>
      {refused !== null && <p class="hint">{refused}</p>}
      {answer !== null && refused === null && (
        <div {...freshness(asked)}>
          <p>{answer.sentence}</p>
          <SeedsTable answer={answer} />
          <p class="hint">{answer.caption}</p>
          <p class="seeds-files">
            {Object.entries(FORMATS).map(([format, title]) => (
              <a
                key={format}
                class="button"
                href={`api/comparisons/export?runs=${runs}&format=${format}`}
                download
              >
                {title}
              </a>
            ))}
          </p>
        </div>
      )}
    </section>
  );
}

function SeedsTable({ answer }: { answer: ComparisonAnswer }) {
  const { arms, metric, columns, rows, verdicts } = answer;
  const range = rangeOf({ arms });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus
    <section class="result-scroll" tabIndex={0} aria-label={answer.title}>
      <table class="result-table">
        <caption>{answer.title}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
            <th scope="col">forest plot</th>
          </tr>
        </thead>
        <tbody>
          {arms.map((arm, index) => {
            const [label, ...cells] = rows[index] ?? [];
            const note = cells.pop();
            const verdict = verdicts[index];
            return (
              <tr key={index}>
                <th scope="row">
                  {label} {note && <small>{note}</small>}
                </th>
                {cells.map((cell, column) => (
                  <td key={columns[column + 1]}>{cell}</td>
                ))}
                <td>
                  {arm.gain && (
                    <ForestBar
                      arm={arm}
                      metric={metric}
                      range={range}
                      paper={null}
                      stands={verdict === "better" || verdict === "worse" ? verdict : "open"}
                    />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
