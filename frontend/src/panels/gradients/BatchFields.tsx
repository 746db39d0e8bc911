/** Which scores stay fixed: evenly spread ones, or what a run's network says at a step. */

import type { ReadonlySignal, Signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { armName } from "../../state/arms";
import { cursor, runId, runSpec } from "../../state/signals";
import { NumberField } from "../form/NumberField";
import type { RankingRuns } from "./rankings";
import type { Batch } from "./scores";

interface Props {
  runs: RankingRuns;
  run: Signal<string>;
  /** The run that the scores are from now: none, where they were typed. */
  taken: string;
  arm: Signal<number>;
  /** Null: as far as the run has come. */
  step: Signal<number | null>;
  batch: ReadonlySignal<Batch | null>;
  /** Hears that the choice counts from now on. */
  onChoose(): void;
}

export function BatchFields({ runs, run, taken, arm, step, batch, onChoose }: Props) {
  const id = useId();
  const { log, problem } = runs.chosen.value;
  const choose = (name: string, at: number | null): void => {
    run.value = name;
    arm.value = 0;
    step.value = at;
    onChoose();
  };
  const here = runSpec.value?.task.name === "ranking" ? runId.value : "";
  const nearest = here !== "" ? here : (runs.list.value[0]?.id ?? "");
  const unlisted = taken !== "" && !runs.list.value.some((item) => item.id === taken);
  const place = {
    get value() {
      return Math.min(step.value ?? Number.POSITIVE_INFINITY, log?.head ?? 0);
    },
    set value(at: number) {
      step.value = at;
    },
  };
  const found = batch.value;
  return (
    <>
      <p class="batch-button">
        <button
          type="button"
          disabled={nearest === ""}
          data-tip="Takes the scores that a run's network gives: of the run on the Compare page at its playback step, or else of the newest run"
          onClick={() => choose(nearest, nearest === here ? Math.floor(cursor.value) : null)}
        >
          This batch
        </button>
      </p>
      <div class="field">
        <label for={id}>Scores from</label>
        <select id={id} value={taken} onChange={(event) => choose(event.currentTarget.value, null)}>
          <option value="">no run: evenly spaced</option>
          {unlisted && <option value={taken}>{`run ${taken}`}</option>}
          {runs.list.value.map((item) => (
            <option key={item.id} value={item.id}>
              {`${item.title} (${item.id.slice(0, 6)})`}
            </option>
          ))}
        </select>
      </div>
      {nearest === "" && <p class="hint">There is no ranking run yet to take scores from.</p>}
      {problem !== null && (
        <p class="field-error" role="alert">
          {problem}
        </p>
      )}
      {log !== null && taken !== "" && (
        <>
          <div class="field">
            <label for={`${id}-arm`}>Arm</label>
            <select
              id={`${id}-arm`}
              value={Math.min(arm.value, Math.max(0, log.arms.length - 1))}
              onChange={(event) => {
                arm.value = Number(event.currentTarget.value);
                onChoose();
              }}
            >
              {log.spec?.arms.map(({ label }, index, arms) => (
                <option key={`${index} ${label}`} value={index}>
                  {armName(arms, index)}
                </option>
              ))}
            </select>
          </div>
          <NumberField label="Step" value={place} low={0} high={log.head} whole />
          <p class="hint">
            {found === null
              ? log.spec?.task.name === "ranking"
                ? "This arm has no recorded scores yet."
                : "This run ranks nothing: choose another."
              : `${found.scores.length} test sets as ranked at step ${found.step}: x₁ is the smallest of the first, and the curvature is that of all of them.`}
          </p>
        </>
      )}
    </>
  );
}
