/** Arms over seeds: a sentence, a table with a forest plot, files. */

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { ApiError, errorOf, request } from "../../api/client";
import type { ComparisonAnswer } from "../../api/types";
import { freshness, problemOf, useQuery } from "../../state/query";
import { saveFile } from "../../ui/saveFile";
import { ForestBar } from "../results/ForestBar";
import { rangeOf } from "../results/numbers";
import "../results/results.css";

const TABLES = { csv: "CSV", md: "Markdown", tex: "LaTeX" };
const PLOT = { html: "Forest plot" };
const DRAWN = { svg: "SVG", pdf: "PDF" };

async function ask(
  query: string,
  stop: AbortSignal,
  receive: (answer: ComparisonAnswer) => void,
): Promise<void> {
  receive(await request<ComparisonAnswer>(`api/comparisons?${query}`, { signal: stop }));
}

interface SeedsComparisonProps {
  /** What is compared, as the server's address says it; null asks nothing. */
  of: ReadonlySignal<string | null>;
  /** Whether the numbers are folded away under the sentence. */
  folded?: boolean;
}

export function SeedsComparison({ of, folded = false }: SeedsComparisonProps) {
  const asked = useQuery(of, ask);
  const answer = asked.answer.value;
  const refused = problemOf(asked.state.value);
  const query = of.value;
  if (query === null) return null;
  if (refused !== null) return <p class="hint">{refused}</p>;
  if (answer === null) return null;
  const numbers = (
    <>
      <SeedsTable answer={answer} />
      {answer.arms.length > 1 && <p class="hint">{answer.caption}</p>}
      <Files query={query} answer={answer} />
    </>
  );
  return (
    <div class="seeds" {...freshness(asked)}>
      <p>{answer.sentence}</p>
      {folded ? (
        <details>
          <summary>Numbers and files</summary>
          {numbers}
        </details>
      ) : (
        numbers
      )}
    </div>
  );
}

/** What cannot be drawn here says so in the buttons' place; what fails says why beside them. */
function Files({ query, answer }: { query: string; answer: ComparisonAnswer }) {
  const problem = useSignal<string | null>(null);
  const plotted = answer.arms.some(({ gain }) => gain);
  const drawn = plotted && answer.undrawn === "";
  const formats = { ...TABLES, ...(plotted ? PLOT : {}), ...(drawn ? DRAWN : {}) };
  const save = async (format: string) => {
    problem.value = null;
    try {
      const response = await fetch(`api/comparisons/export?${query}&format=${format}`);
      if (!response.ok) throw await errorOf(response);
      saveFile(await response.blob(), `newton-lab-comparison.${format}`);
    } catch (error) {
      problem.value = error instanceof ApiError ? error.message : "The server does not answer.";
    }
  };
  return (
    <>
      <p class="seeds-files">
        {Object.entries(formats).map(([format, title]) => (
          <button key={format} type="button" onClick={() => void save(format)}>
            {title}
          </button>
        ))}
      </p>
      {plotted && answer.undrawn !== "" && <p class="hint">{answer.undrawn}.</p>}
      {problem.value !== null && (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
    </>
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
