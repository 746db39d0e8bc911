/** A question: first a prediction, then the run, which says whether it was right. */

import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Question } from "../../api/types";
import { formatMeasured } from "../../format";
import { descents, isOfScene, scene } from "../../state/scene";
import { canTrain, cursor, run } from "../../state/signals";
import { type Truth, truthOfDescents, truthOfRun } from "../../state/truth";
import { type Answer, answerTo, type Given, keep } from "./answers";
import { CurvePad } from "./CurvePad";
import { judge, KNOTS, stepOf, type Verdict } from "./judge";
import "./ask.css";

interface Props {
  lesson: string;
  id: string;
  question: Question;
}

/** What really happened, as far as it is computed and shown; null: nothing yet. */
function truthNow(): Truth | null {
  const now = scene.value;
  if (now === null) return null;
  if (now.page !== "compare") return truthOfDescents(descents.value);
  return run.value === null || !isOfScene.value ? null : truthOfRun(run.value);
}

export function Ask({ lesson, id, question }: Props) {
  const answer = answerTo(lesson, id);
  const truth = truthNow();
  const seen = isSeen(question);
  const verdict =
    answer === null || truth === null || !seen ? null : judge(question, answer.given, truth);
  const right = verdict?.right ?? null;
  useEffect(() => {
    if (answer !== null && right !== null && answer.right !== right) {
      keep(lesson, id, { ...answer, right });
    }
  }, [answer, right, lesson, id]);
  const heading = useId();
  return (
    <section class="ask" aria-labelledby={heading}>
      <h3 id={heading}>
        <small>Predict</small> {question.ask}
      </h3>
      {answer === null ? (
        <Predict
          question={question}
          truth={truth}
          onGiven={(given) => keep(lesson, id, { given, right: null })}
        />
      ) : (
        <Judged
          question={question}
          answer={answer}
          verdict={verdict}
          onAgain={() => keep(lesson, id, null)}
        />
      )}
      {verdict === null && <Hints hints={question.hints} />}
    </section>
  );
}

/** Whether the reader has played the run so far that the answer is on the screen. */
function isSeen(question: Question): boolean {
  if (scene.value?.page !== "compare") return true;
  const step = stepOf(question) ?? run.value?.head ?? 0;
  return cursor.value >= step;
}

function Predict(props: { question: Question; truth: Truth | null; onGiven(given: Given): void }) {
  const { question, truth, onGiven } = props;
  const chosen = useSignal<Given | null>(null);
  const name = useId();
  const labels =
    question.kind === "arm" && question.among.length > 0
      ? question.among
      : (truth?.labels ?? scene.value?.spec?.arms.map((arm) => arm.label) ?? []);
  const commit = (event: Event) => {
    event.preventDefault();
    if (chosen.value !== null) onGiven(chosen.value);
  };
  return (
    <form onSubmit={commit}>
      {question.kind === "arm" && (
        <fieldset class="ask-choices" aria-label="Your prediction">
          {labels.map((label) => (
            <label key={label}>
              <input
                type="radio"
                name={name}
                checked={chosen.value === label}
                onChange={() => {
                  chosen.value = label;
                }}
              />
              {label}
            </label>
          ))}
        </fieldset>
      )}
      {question.kind === "number" && (
        <input
          class="number"
          type="number"
          step="any"
          aria-label="Your prediction"
          onInput={(event) => {
            const value = event.currentTarget.valueAsNumber;
            chosen.value = Number.isNaN(value) ? null : value;
          }}
        />
      )}
      {question.kind === "curve" && (
        <CurvePad
          question={question}
          heights={
            (chosen.value as number[] | null) ??
            Array.from({ length: KNOTS }, () => (question.low + question.high) / 2)
          }
          truth={null}
          onDraw={(heights) => {
            chosen.value = heights;
          }}
        />
      )}
      <button type="submit" disabled={chosen.value === null}>
        That is my prediction
      </button>
    </form>
  );
}

interface JudgedProps {
  question: Question;
  answer: Answer;
  verdict: Verdict | null;
  onAgain(): void;
}

function Judged({ question, answer, verdict, onAgain }: JudgedProps) {
  const { given } = answer;
  const curve = question.kind === "curve" && typeof given === "object";
  const step = stepOf(question);
  return (
    <>
      {curve ? (
        <CurvePad
          question={question}
          heights={given}
          truth={typeof verdict?.truth === "object" ? verdict.truth : null}
        />
      ) : (
        <p>
          You say: <b>{typeof given === "number" ? formatMeasured(given) : String(given)}</b>
        </p>
      )}
      <div role="status">
        {verdict === null ? (
          <p class="hint">
            {scene.value?.page === "compare"
              ? `${canTrain.value ? "Train, and play" : "Play"} to ${step === null ? "the end" : `step ${step}`}: the run answers.`
              : "The descents answer as soon as they are drawn."}
          </p>
        ) : (
          <>
            <p class={verdict.right ? "ask-right" : "ask-wrong"}>
              <b>{verdict.right ? "Right." : "Not so."}</b> {happened(question, verdict)}
            </p>
            {question.explain !== "" && <p>{question.explain}</p>}
          </>
        )}
      </div>
      <button type="button" class="link" onClick={onAgain}>
        Predict again
      </button>
    </>
  );
}

function happened(question: Question, { truth }: Verdict): string {
  if (question.kind === "arm") {
    return `At step ${question.step} ${truth} ${question.most === "highest" ? "is highest" : "is lowest"}.`;
  }
  if (question.kind === "number") return `The run says ${formatMeasured(Number(truth))}.`;
  return "The solid line is what the run did.";
}

function Hints({ hints }: { hints: readonly string[] }) {
  const shown = useSignal(0);
  if (hints.length === 0) return null;
  return (
    <div class="hint">
      {hints.slice(0, shown.value).map((hint) => (
        <p key={hint}>{hint}</p>
      ))}
      {shown.value < hints.length && (
        <button
          type="button"
          class="link"
          onClick={() => {
            shown.value += 1;
          }}
        >
          {shown.value === 0 ? "Give me a hint" : "Another hint"}
        </button>
      )}
    </div>
  );
}
