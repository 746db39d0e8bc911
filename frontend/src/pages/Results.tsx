/** The paper's tables as the lab has reproduced them, beside the paper's own numbers. */

import { signal, useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, request } from "../api/client";
import type { ResultAnswer, ResultInfo } from "../api/types";
import { formatDuration } from "../format";
import { Overview, RowPanel } from "../panels/results/ResultTables";
import { pageAddress } from "../state/address/page";
import { text } from "../state/address/properties";
import { freshness, problemOf, useQuery, waitingWords } from "../state/query";
import "../panels/results/results.css";

/** `name`: of the result that is shown; empty is the first. */
export const resultsAddress = pageAddress("results", { name: text("") });

const list = signal<ResultInfo[] | null>(null);
const problem = signal<string | null>(null);

async function load(): Promise<void> {
  try {
    list.value = await request<ResultInfo[]>("api/results");
    problem.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
  }
}

async function ask(
  { name }: { name: string },
  stop: AbortSignal,
  receive: (answer: ResultAnswer) => void,
): Promise<void> {
  const path = `api/results/${encodeURIComponent(name)}`;
  receive(await request<ResultAnswer>(path, { signal: stop }));
}

export function ResultsPage() {
  useEffect(() => void load(), []);
  useEffect(() => resultsAddress.follow(), []);
  const { name } = resultsAddress.state;
  const question = useComputed(() => {
    const chosen = name.value || list.value?.[0]?.name;
    return chosen === undefined ? null : { name: chosen };
  });
  const asked = useQuery(question, ask, question);
  const refused = problem.value ?? problemOf(asked.state.value);
  const answer = asked.answer.value;
  return (
    <main class="runs results">
      <div class="runs-head">
        <h2>Results</h2>
        {list.value !== null && list.value.length > 0 && (
          <label>
            Show{" "}
            <select
              value={question.value?.name ?? ""}
              onChange={(event) => {
                name.value = event.currentTarget.value;
              }}
            >
              {list.value.map((info) => (
                <option key={info.name} value={info.name}>
                  {info.name}: {info.title}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {refused !== null && (
        <div class="notice notice-warn" role="alert">
          <p>{refused}</p>
          <button type="button" onClick={() => void load()}>
            Try again
          </button>
        </div>
      )}
      {list.value?.length === 0 && (
        <section class="panel empty">
          <h2>No results yet</h2>
          <p>
            Nothing ships with this copy of the lab. <code>newton-lab reproduce table1</code>{" "}
            computes a table.
          </p>
        </section>
      )}
      {answer === null && refused === null && <p class="hint">{waitingWords(asked)}</p>}
      {answer !== null && (
        <div {...freshness(asked)}>
          <About answer={answer} />
          <Overview rows={answer.result.rows} />
          {answer.result.rows.map((row) => (
            <RowPanel key={row.title} row={row} />
          ))}
        </div>
      )}
    </main>
  );
}

/** What it is, how it stands beside the paper, and how to compute it again. */
function About({ answer: { result, reproduced, not_reproduced: lost } }: { answer: ResultAnswer }) {
  const tuned = result.rows.find((row) => row.tuning)?.tuning;
  return (
    <section class="panel" aria-labelledby="result-title">
      <h3 id="result-title">
        {result.title} <small>{result.source}</small>
      </h3>
      {result.note !== "" && <p>{result.note}</p>}
      {!result.complete && <p class="notice notice-warn">Some rows are missing.</p>}
      <Said title="What does not reproduce here" sentences={lost} />
      <Said title="What reproduces" sentences={reproduced} />
      <p class="hint result-facts">
        <code>{result.command}</code> computes it again. Computed {result.date.slice(0, 10)} on{" "}
        {result.device} with{" "}
        {Object.entries(result.versions)
          .map((pair) => pair.join(" "))
          .join(", ")}
        ; report runs took {formatDuration(60 * result.minutes)} of one core
        {tuned
          ? `, tuning took ${formatDuration(60 * result.tuning_minutes)}: every arm was tried at ${tuned.points} settings on seeds from ${tuned.seeds[0]} on, which no result is reported on`
          : "; nothing was tuned"}
        .
      </p>
    </section>
  );
}

function Said({ title, sentences }: { title: string; sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <details open={sentences.length <= 4}>
      <summary>
        {title}: {sentences.length}
      </summary>
      <ul>
        {sentences.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </details>
  );
}
