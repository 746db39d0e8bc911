/** The whole landscape of sorting three numbers: click a start, watch who reaches the right wedge. */

import { useComputed, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Method, ThreeAnswer, ThreeQuery } from "../api/descents";
import type { PlanePoint } from "../charts/landscape";
import { landscapeFigure } from "../charts/landscapeFigure";
import { linesFigure } from "../charts/lines";
import { PictureCard } from "../panels/charts/PictureCard";
import { DescentList } from "../panels/descents/DescentList";
import { linesOf, methodOf, outcomeWords, pathsUpTo } from "../panels/descents/descents";
import { StepBar } from "../panels/descents/StepBar";
import { TRIES, type Try } from "../panels/descents/tries";
import { isOffered, LossFields, sortingLoss } from "../panels/form/LossFields";
import { NumberField } from "../panels/form/NumberField";
import { TikhonovField } from "../panels/form/TikhonovField";
import { ShapeChoice } from "../panels/landscape/ShapeChoice";
import { pageAddress } from "../state/address/page";
import { choice, flag, integer, number, text } from "../state/address/properties";
import { freshness, posted, problemOf, useQuery, waitingWords } from "../state/query";
import { descents } from "../state/scene";
import { textScale } from "../state/signals";
import { loadTemplates, templates } from "../state/templates";
import { paletteOf } from "../state/theme";
import { Control } from "../ui/Control";
import { Main } from "../ui/Main";
import "../panels/landscape/landscape.css";
import "../panels/descents/descents.css";

const STEPS = 100;
/** Where the wedges are named, as a share of the range: names fit side by side on a phone. */
const NAMES_AT = { beside: 0.64, above: 0.8 };

export const threeNumbersAddress = pageAddress("three-numbers", {
  loss: text("softsort"),
  numerics: choice(["log_domain", "bce_loss"], "bce_loss"),
  temperature: number(0.05, 1e-3, 1e3),
  range: number(3, 0.01, 1000),
  across: number(0.75, -1000, 1000),
  up: number(-0.5, -1000, 1000),
  lr: number(1, 1e-6, 1e6),
  tikhonov: number(0.1, 1e-9, 1e9),
  step: integer(STEPS, 0, STEPS),
  surface: flag(),
});

function methods(lr: number, tikhonov: number): Method[] {
  return [
    { method: "gradient_descent", label: "Vanilla gradient descent", lr },
    { method: "newton", label: "Hessian", lr, tikhonov },
    { method: "newton", label: "Hessian, saddle-free", definiteness: "saddle_free", lr, tikhonov },
    { method: "newton", label: "Fisher", curvature: "fisher", lr, tikhonov },
  ];
}

const LOOKS = methods(1, 1).map(methodOf);

const ask = posted<ThreeQuery, ThreeAnswer>("api/three-numbers");

export function ThreeNumbersPage() {
  useEffect(() => void loadTemplates(), []);
  useEffect(() => threeNumbersAddress.follow(), []);
  const { loss, numerics, temperature, lr, tikhonov, step, surface } = threeNumbersAddress.state;
  const { range: span, across: startA, up: startB } = threeNumbersAddress.state;
  const query = useComputed<ThreeQuery | null>(() =>
    isOffered("permutation", loss.value)
      ? {
          loss: sortingLoss(loss.value, temperature.value, numerics.value),
          start: [startA.value, startB.value],
          walkers: methods(lr.value, tikhonov.value),
          steps: STEPS,
          span: span.value,
        }
      : null,
  );
  const asked = useQuery(query, ask);
  const { answer } = asked;
  const problem = problemOf(asked.state.value);
  const template = templates.value?.landscape;
  const palette = template && paletteOf(template);

  useSignalEffect(() => {
    descents.value = answer.value?.walks ?? [];
  });

  const picture = useComputed(() => {
    const found = answer.value;
    const shape = templates.value?.landscape;
    if (found === null || shape === undefined) return null;
    const ink = paletteOf(shape);
    const { plane } = found;
    const edge = plane.a.at(-1) ?? 1;
    return landscapeFigure({
      template: shape,
      palette: ink,
      landscape: { x: plane.a, y: plane.b, values: plane.loss },
      log: true,
      colours: null,
      surface: surface.value,
      borders: plane.wedges.map((wedge) => ({
        points: wedge.polygon.slice(0, 2),
        look: { colour: ink.soft, dash: "solid" },
      })),
      names: plane.wedges.map(({ angle, label, correct }) => {
        const reach = edge * NAMES_AT[Math.abs(Math.sin(angle)) < 0.5 ? "beside" : "above"];
        const name = label.replaceAll(" ", "");
        return {
          at: [reach * Math.cos(angle), reach * Math.sin(angle)] as PlanePoint,
          text: correct ? `<b>${name} ✓</b>` : name,
          colour: correct ? ink.ink : ink.soft,
        };
      }),
      paths: pathsUpTo(ink, found.walks, LOOKS, step.value),
      titles: ["s3 − s1, over √2", "s1 + s3 − 2 s2, over √6"],
      label: "loss",
      scale: textScale.value,
    });
  });
  const norms = useComputed(() => {
    const found = answer.value;
    const shape = templates.value?.lines;
    if (found === null || shape === undefined) return null;
    const ink = paletteOf(shape);
    return linesFigure({
      template: shape,
      palette: ink,
      lines: linesOf(ink, found.walks, LOOKS, (descent) => descent.gradient_norms),
      cursor: step.value,
      titles: ["step", "gradient norm, log"],
      scaleY: "log",
      scale: textScale.value,
    });
  });
  const pick = ([a, b]: PlanePoint): void => {
    startA.value = a;
    startB.value = b;
    step.value = 0;
  };
  const take = ({ title: _title, ...settings }: Try): void =>
    threeNumbersAddress.set({ ...settings, range: 3, lr: 1, tikhonov: 0.1, step: STEPS });
  return (
    <Main class="compare">
      <aside class="rail" aria-label="Settings">
        <section class="panel">
          <h2>Look at</h2>
          <ul class="tries">
            {TRIES.map((one) => (
              <li key={one.title}>
                <button type="button" onClick={() => take(one)}>
                  {one.title}
                </button>
              </li>
            ))}
          </ul>
        </section>
        <section class="panel">
          <h2>Loss</h2>
          <LossFields
            kind="permutation"
            title="Loss"
            name={loss}
            temperature={temperature}
            numerics={numerics}
          />
          <Control name="range">
            <NumberField label="Range" value={span} low={0.01} high={1000} />
          </Control>
        </section>
        <section class="panel">
          <h2>
            Descents <small>all from one start</small>
          </h2>
          <Control name="across">
            <NumberField label="Start, across" value={startA} low={-1000} high={1000} />
          </Control>
          <Control name="up">
            <NumberField label="Start, up" value={startB} low={-1000} high={1000} />
          </Control>
          <Control name="lr">
            <NumberField label="Learning rate" value={lr} low={1e-6} high={1e6} />
          </Control>
          <TikhonovField value={tikhonov} />
        </section>
      </aside>
      <div class="stage" {...freshness(asked)}>
        <StepBar step={step} steps={STEPS} />
        <section class="panel descent-panel" aria-labelledby="plane-title">
          <h2 id="plane-title">
            Sorting three numbers{" "}
            <small>
              loss over the plane of score differences, log; press a point to start there
            </small>
          </h2>
          <div class="landscapes-controls">
            <ShapeChoice surface={surface} />
          </div>
          {problem !== null && (
            <p class="field-error" role="alert">
              {problem}
            </p>
          )}
          <div class="descent-pair">
            <PictureCard
              waiting={waitingWords(asked)}
              title="Sorting three numbers"
              figure={picture}
              label="The loss of sorting three numbers, six wedges, and the descents"
              onPick={pick}
            />
            <div>
              {palette !== undefined && answer.value !== null && (
                <DescentList
                  descents={answer.value.walks}
                  methods={LOOKS}
                  palette={palette}
                  step={step.value}
                  quantity="loss"
                  say={outcomeWords}
                />
              )}
              <p class="hint">
                The three scores differ only by how far apart they are: shifting all of them changes
                no loss, so this plane shows all of it. Only in the wedge with the tick is the
                ordering right.
              </p>
              <div class="descent-lines">
                <PictureCard
                  waiting={waitingWords(asked)}
                  figure={norms}
                  title="Gradient norm"
                  label="Norm of the gradient over the steps"
                />
              </div>
            </div>
          </div>
        </section>
      </div>
    </Main>
  );
}
