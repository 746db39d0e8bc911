/** The paper's Figure 6: what one score feels as it moves, the others fixed. */

import {
  type Signal,
  batch as signalBatch,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { GradientCurve, GradientsAnswer, GradientsQuery } from "../api/descents";
import type { Spec } from "../api/types";
import { linesFigure } from "../charts/lines";
import type { Palette } from "../charts/templates";
import { PictureCard } from "../panels/charts/PictureCard";
import { descentLook } from "../panels/descents/descents";
import { LineSample } from "../panels/descents/LineSample";
import { isOffered, LossFields, sortingLoss } from "../panels/form/LossFields";
import { NumberField } from "../panels/form/NumberField";
import { TikhonovField } from "../panels/form/TikhonovField";
import { gradientsAddress, trainedWith } from "../panels/gradients/address";
import { BatchFields } from "../panels/gradients/BatchFields";
import {
  dampingWords,
  flipNote,
  flipsOf,
  flipWords,
  notedFlips,
} from "../panels/gradients/findings";
import { useRankingRuns } from "../panels/gradients/rankings";
import { ScoresField } from "../panels/gradients/ScoresField";
import {
  type Batch,
  batchScores,
  exampleScores,
  numbersIn,
  rangeAround,
} from "../panels/gradients/scores";
import type { Method } from "../state/arms";
import type { RunLog } from "../state/log";
import { freshness, posted, problemOf, useQuery, waitingWords } from "../state/query";
import { textScale } from "../state/signals";
import { loadTemplates, templates } from "../state/templates";
import { paletteOf } from "../state/theme";
import { vocabulary } from "../state/vocabulary";
import { Control } from "../ui/Control";
import { Main } from "../ui/Main";
import "../panels/landscape/landscape.css";
import "../panels/descents/descents.css";

const NAMES: Record<string, string> = {
  raw: "Raw gradient",
  hessian: "Newton, Hessian",
  fisher: "Newton, Fisher",
  "bce_loss float32": "BCELoss, 32 bits",
  "bce_loss float64": "BCELoss, 64 bits",
  "log_domain float32": "Log domain, 32 bits",
};

const LOOKS: Record<string, Method> = { raw: "vanilla", hessian: "hessian", fisher: "fisher" };
/** The raw gradient's, computed in three ways. */
const NUMERICS: readonly Method[] = ["vanilla", "vanilla_double", "own_loss"];

function lookAt(curve: GradientCurve, index: number): Method {
  return LOOKS[curve.name] ?? NUMERICS[index] ?? "vanilla";
}

const ask = posted<GradientsQuery, GradientsAnswer>("api/gradients");

export function GradientsPage() {
  useEffect(() => void loadTemplates(), []);
  useEffect(() => gradientsAddress.follow(), []);
  const { loss, numerics: how, network, temperature, tikhonov, n } = gradientsAddress.state;
  const { scores: typed } = gradientsAddress.state;
  const { from: low, to: high } = gradientsAddress.state;
  const { run, arm, step, vanishing, exploding } = gradientsAddress.state;
  const lost = orServers(vanishing, "vanishing");
  const tooLarge = orServers(exploding, "exploding");
  // Scores of one's own are none of a run.
  const taken = useComputed(() => (typed.value === "" ? run.value : ""));
  const runs = useRankingRuns(taken);
  // As text, so that a log that grows asks nothing again where its scores are the same.
  const said = useComputed(() => {
    const { log } = runs.chosen.value;
    if (log === null || taken.value === "") return "null";
    return JSON.stringify(batchScores(log, armOf(log, arm.value), step.value ?? log.head));
  });
  const batch = useComputed(() => JSON.parse(said.value) as Batch | null);
  const query = useComputed<GradientsQuery | null>(() => {
    if (!isOffered("permutation", loss.value)) return null;
    const own = numbersIn(typed.value);
    if (taken.value !== "" && batch.value === null) return null; // nothing is known of its scores
    return {
      loss: sortingLoss(loss.value, temperature.value, how.value, network.value),
      scores: own !== null ? [own] : (batch.value?.scores ?? [exampleScores(n.value)]),
      low: low.value,
      high: high.value,
      steps: [
        { curvature: "hessian", tikhonov: tikhonov.value },
        { curvature: "fisher", tikhonov: tikhonov.value },
      ],
      vanishing: lost.value,
      exploding: tooLarge.value,
    };
  });
  // Of a run chosen in this tab, the loss and a range come with the scores; a link has its own.
  const adopting = useSignal<string | null>(null);
  useSignalEffect(() => {
    const found = batch.value;
    const { log } = runs.chosen.value;
    if (adopting.value === null || log?.spec == null || found === null) return;
    const { spec } = log;
    const index = armOf(log, arm.value);
    if (adopting.value === run.value) untracked(() => adopt(spec, index, found));
    adopting.value = null;
  });
  const scores = () => query.value?.scores[0] ?? exampleScores(n.value);
  const asked = useQuery(query, ask);
  const { answer } = asked;
  const problem = problemOf(asked.state.value);
  const lines = templates.value?.lines;
  const palette = lines && paletteOf(lines);
  const figure = (which: "field" | "numerics") => {
    const found = answer.value?.[which];
    const shape = templates.value?.lines;
    if (found == null || shape === undefined) return null;
    const ink = paletteOf(shape);
    return linesFigure({
      template: shape,
      palette: ink,
      lines: found.curves.map((curve, index) => ({
        x: found.scores,
        y: curve.component,
        name: NAMES[curve.name] ?? curve.name,
        ...descentLook(ink, lookAt(curve, index)),
      })),
      shades: [
        ...(found.curves[0]?.regions ?? []).map((region) => ({
          from: region.first,
          to: region.last,
          colour: region.kind === "vanishing" ? ink.accent : ink.warn,
        })),
        ...flipsOf(found.curves).map((flip) => ({
          from: flip.first,
          to: flip.last,
          colour: ink.curvature,
        })),
      ],
      notes: notedFlips(found).map((flip) => ({
        x: (flip.first + flip.last) / 2,
        text: flipNote(flip),
        colour: ink.curvature,
      })),
      titles: ["x₁, the score that moves", "component of x₁, signed log"],
      cursor: query.value?.scores[0]?.[0] ?? 0,
      scaleY: "signed",
      range: [found.scores[0] ?? 0, found.scores.at(-1) ?? 1],
      scale: textScale.value,
    });
  };
  const field = useComputed(() => figure("field"));
  const numerics = useComputed(() => figure("numerics"));
  const now = answer.value;
  return (
    <Main class="compare">
      <aside class="rail" aria-label="Settings">
        <section class="panel">
          <h2>Loss</h2>
          <LossFields
            kind="permutation"
            title="Loss"
            name={loss}
            temperature={temperature}
            numerics={how}
            network={network}
          />
          <TikhonovField value={tikhonov} />
        </section>
        <section class="panel">
          <h2>Scores</h2>
          <Control name="n">
            <NumberField
              label="Numbers n"
              value={{
                get value() {
                  return scores().length;
                },
                set value(count: number) {
                  signalBatch(() => {
                    n.value = count;
                    typed.value = "";
                    run.value = "";
                  });
                },
              }}
              low={2}
              high={32}
              whole
            />
          </Control>
          <Control name="scores">
            <ScoresField scores={scores()} typed={typed} />
          </Control>
          <Control name="from">
            <NumberField label="x₁ from" value={low} low={-1e6} high={1e6} />
          </Control>
          <Control name="to">
            <NumberField label="x₁ to" value={high} low={-1e6} high={1e6} />
          </Control>
          <Control name="run">
            <BatchFields
              runs={runs}
              run={run}
              taken={taken.value}
              arm={arm}
              step={step}
              batch={batch}
              onChoose={() => {
                typed.value = "";
                adopting.value = run.value === "" ? null : run.value;
              }}
            />
          </Control>
        </section>
        <section class="panel">
          <h2>
            Thresholds <small>of a gradient's norm</small>
          </h2>
          <Control name="vanishing">
            <NumberField label="Vanished below" value={lost} low={0} high={1e9} />
          </Control>
          <Control name="exploding">
            <NumberField label="Exploding above" value={tooLarge} low={1e-12} high={1e30} />
          </Control>
        </section>
      </aside>
      <div class="stage" {...freshness(asked)}>
        {problem !== null && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <section class="panel wide-picture" aria-labelledby="field-title">
          <h2 id="field-title">
            Gradient of one score{" "}
            <small>
              the others fixed; shaded where the raw gradient of all scores together has vanished
              (blue) or explodes (red), and where the Hessian step flips (purple)
            </small>
          </h2>
          {now !== null && <p class="descent-verdict">{dampingWords(now)}</p>}
          <Legend curves={now?.field.curves ?? []} palette={palette} />
          <PictureCard
            waiting={waitingWords(asked)}
            figure={field}
            title="Gradient of one score"
            label="Raw gradient and Newton directions over x1"
          />
          {now !== null && flipWords(now.field) !== "" && (
            <p class="hint">{flipWords(now.field)}</p>
          )}
        </section>
        {now !== null && now.numerics !== null && (
          <section class="panel wide-picture" aria-labelledby="numerics-title">
            <h2 id="numerics-title">
              The same gradient, computed in three ways{" "}
              <small>
                where they part, it is rounding and not the loss; shaded for the first of them
              </small>
            </h2>
            <Legend curves={now.numerics.curves} palette={palette} />
            <PictureCard
              waiting={waitingWords(asked)}
              figure={numerics}
              title="Gradient by three numerics"
              label="The raw gradient by three numerics over x1"
            />
          </section>
        )}
      </div>
    </Main>
  );
}

/** A threshold that the reader can set: the server's until then. */
function orServers(chosen: Signal<number | null>, which: "vanishing" | "exploding") {
  return {
    get value() {
      return chosen.value ?? vocabulary.value.thresholds[which];
    },
    set value(threshold: number) {
      chosen.value = threshold;
    },
  };
}

/** The index of an arm that there is: a link may name another. */
function armOf(log: RunLog, index: number): number {
  return Math.max(0, Math.min(index, log.arms.length - 1));
}

/** What the arm trains with at the batch's step, and a range around its scores. */
function adopt(spec: Spec, arm: number, { step, scores: [scores = []] }: Batch): void {
  const range = rangeAround(scores);
  gradientsAddress.set({
    ...trainedWith(spec, arm, step),
    ...(range !== null && { from: range[0], to: range[1] }),
  });
}

function Legend(props: { curves: readonly GradientCurve[]; palette: Palette | undefined }) {
  const { palette } = props;
  if (palette === undefined) return null;
  return (
    <ul class="descent-list descent-legend">
      {props.curves.map((curve, index) => (
        <li key={curve.name}>
          <LineSample palette={palette} method={lookAt(curve, index)} />
          <span>
            {NAMES[curve.name] ?? curve.name}
            {curve.problem !== null && <small> {curve.problem}</small>}
          </span>
        </li>
      ))}
    </ul>
  );
}
