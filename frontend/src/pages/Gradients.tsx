/** The paper's Figure 6: what one score feels as it moves, the others fixed. */

import { useComputed } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { GradientCurve, GradientsAnswer, GradientsQuery } from "../api/surfaces";
import { linesFigure } from "../charts/lines";
import type { Palette } from "../charts/templates";
import { PictureCard } from "../panels/charts/PictureCard";
import { BatchFields } from "../panels/plane/BatchFields";
import { isOffered, LossFields, sortingLoss } from "../panels/plane/LossFields";
import { NumberField } from "../panels/plane/NumberField";
import { useRankingRuns } from "../panels/plane/rankings";
import { type Batch, batchScores, exampleScores, numbersIn } from "../panels/plane/scores";
import { walkLook } from "../panels/plane/walks";
import { useAnswer } from "../state/answer";
import { integer, number, text } from "../state/properties";
import { pageQuery } from "../state/query";
import { shownTheme } from "../state/signals";
import { loadTemplates, templates } from "../state/templates";
import "../panels/landscape/landscape.css";
import "../panels/plane/plane.css";

const NAMES: Record<string, string> = {
  raw: "Raw gradient",
  hessian: "Newton, Hessian",
  fisher: "Newton, Fisher",
};

export const gradientsQuery = pageQuery("gradients", {
  loss: text("neuralsort"),
  temperature: number(0.1, 1e-3, 1e3),
  tikhonov: number(0.1, 1e-9, 1e9),
  n: integer(5, 2, 32),
  /** As typed; empty: evenly spread, or a batch's. */
  scores: text(),
  from: number(-10, -1e6, 1e6),
  to: number(10, -1e6, 1e6),
  /** A run whose network says the scores: empty for none. */
  run: text(),
  arm: integer(0, 0, 99),
  /** Null: as far as the run has come. */
  step: integer<number | null>(null, 0, 1e9),
  /** Norms between which a gradient is neither lost nor too large: the server's defaults. */
  vanishing: number(1e-6, 0, 1e9),
  exploding: number(10, 1e-12, 1e30),
});

export function GradientsPage() {
  useEffect(() => void loadTemplates(), []);
  useEffect(() => gradientsQuery.follow(), []);
  const { loss, temperature, tikhonov, n, scores: typed } = gradientsQuery.state;
  const { from: low, to: high } = gradientsQuery.state;
  const { run, arm, step, vanishing, exploding } = gradientsQuery.state;
  const scoresId = useId();
  const runs = useRankingRuns(run);
  // As text, so that a log that grows asks nothing again where its scores are the same.
  const said = useComputed(() => {
    const { log } = runs.chosen.value;
    if (log === null || run.value === "") return "null";
    return JSON.stringify(batchScores(log, arm.value, step.value ?? log.head));
  });
  const batch = useComputed(() => JSON.parse(said.value) as Batch | null);
  const query = useComputed<GradientsQuery | null>(() => {
    if (!isOffered("permutation", loss.value)) return null;
    const own = numbersIn(typed.value);
    return {
      loss: sortingLoss(loss.value, temperature.value),
      scores: own !== null ? [own] : (batch.value?.scores ?? [exampleScores(n.value)]),
      low: low.value,
      high: high.value,
      steps: [
        { curvature: "hessian", tikhonov: tikhonov.value },
        { curvature: "fisher", tikhonov: tikhonov.value },
      ],
      vanishing: vanishing.value,
      exploding: exploding.value,
    };
  });
  const answer = useAnswer<GradientsAnswer>("api/gradients", query);
  const palette = templates.value?.lines?.layout.meta.palettes[shownTheme.value];
  const figure = (which: "field" | "numerics") => {
    const found = answer.value.value?.[which];
    const shape = templates.value?.lines;
    if (found == null || shape === undefined) return null;
    const ink = shape.layout.meta.palettes[shownTheme.value];
    return linesFigure({
      template: shape,
      palette: ink,
      lines: found.curves.map((curve, index) => ({
        x: found.scores,
        y: curve.component,
        name: NAMES[curve.name] ?? curve.name,
        ...walkLook(ink, index),
      })),
      shades: (found.curves[0]?.regions ?? []).map((region) => ({
        from: region.first,
        to: region.last,
        colour: region.kind === "vanishing" ? ink.accent : ink.warn,
      })),
      titles: ["x₁, the score that moves", "component of x₁, signed log"],
      scaleY: "signed",
      range: [found.scores[0] ?? 0, found.scores.at(-1) ?? 1],
      scale: 1,
    });
  };
  const field = useComputed(() => figure("field"));
  const numerics = useComputed(() => figure("numerics"));
  const now = answer.value.value;
  const unread = typed.value !== "" && numbersIn(typed.value) === null;
  return (
    <main class="compare">
      <aside class="rail" aria-label="Settings">
        <section class="panel">
          <h2>Loss</h2>
          <LossFields kind="permutation" title="Loss" name={loss} temperature={temperature} />
          <NumberField label="Tikhonov λ" value={tikhonov} low={1e-9} high={1e9} />
        </section>
        <section class="panel">
          <h2>Scores</h2>
          <NumberField label="Numbers n" value={n} low={2} high={32} whole />
          <div class="field">
            <label for={scoresId}>Scores, in their true order</label>
            <input
              id={scoresId}
              type="text"
              value={typed.value || (query.value?.scores[0] ?? []).map(short).join(", ")}
              aria-invalid={unread}
              onInput={(event) => {
                typed.value = event.currentTarget.value;
              }}
            />
            {unread && (
              <p class="field-error" role="alert">
                at least two numbers, with commas between them, such as -2, -1, 0.5
              </p>
            )}
          </div>
          <NumberField label="x₁ from" value={low} low={-1e6} high={1e6} />
          <NumberField label="x₁ to" value={high} low={-1e6} high={1e6} />
          <BatchFields
            runs={runs}
            run={run}
            arm={arm}
            step={step}
            batch={batch}
            onChoose={() => {
              typed.value = "";
            }}
          />
        </section>
        <section class="panel">
          <h2>
            Thresholds <small>of a gradient's norm</small>
          </h2>
          <NumberField label="Vanished below" value={vanishing} low={0} high={1e9} />
          <NumberField label="Exploding above" value={exploding} low={1e-12} high={1e30} />
        </section>
      </aside>
      <div class="stage">
        {answer.problem.value !== null && (
          <p class="field-error" role="alert">
            {answer.problem.value}
          </p>
        )}
        <section class="panel plane-wide" aria-labelledby="field-title">
          <h2 id="field-title">
            Gradient of one score{" "}
            <small>
              the others fixed; shaded blue where it has vanished, red where it explodes
            </small>
          </h2>
          <Legend curves={now?.field.curves ?? []} palette={palette} />
          <PictureCard
            figure={field}
            title="Gradient of one score"
            label="Raw gradient and Newton directions over x1"
          />
        </section>
        {now !== null && now.numerics !== null && (
          <section class="panel plane-wide" aria-labelledby="numerics-title">
            <h2 id="numerics-title">
              The same gradient, computed in three ways{" "}
              <small>where they part, it is rounding and not the loss</small>
            </h2>
            <Legend curves={now.numerics.curves} palette={palette} />
            <PictureCard
              figure={numerics}
              title="Gradient by three numerics"
              label="The raw gradient by three numerics over x1"
            />
          </section>
        )}
      </div>
    </main>
  );
}

function short(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}

function Legend(props: { curves: readonly GradientCurve[]; palette: Palette | undefined }) {
  const { palette } = props;
  if (palette === undefined) return null;
  return (
    <ul class="walk-list walk-legend">
      {props.curves.map((curve, index) => (
        <li key={curve.name}>
          <svg width="26" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="26"
              y1="4"
              y2="4"
              stroke={walkLook(palette, index).colour}
              stroke-width="3"
              stroke-dasharray={walkLook(palette, index).dash.replaceAll("px", "")}
            />
          </svg>
          <span>
            {NAMES[curve.name] ?? curve.name}
            {curve.problem !== null && <small> {curve.problem}</small>}
          </span>
        </li>
      ))}
    </ul>
  );
}
