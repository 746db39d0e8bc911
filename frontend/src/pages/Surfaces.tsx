/** Two-dimensional surfaces: methods descend side by side from one start. */

import { computed, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Method, SurfaceAnswer, SurfaceQuery } from "../api/descents";
import { landscapeFigure } from "../charts/landscapeFigure";
import { linesFigure } from "../charts/lines";
import { PictureCard } from "../panels/charts/PictureCard";
import { DescentList } from "../panels/descents/DescentList";
import {
  linesOf,
  methodOf,
  pathsUpTo,
  quadraticLandscape,
  trustWords,
} from "../panels/descents/descents";
import { StepBar } from "../panels/descents/StepBar";
import { isOffered, LossFields } from "../panels/form/LossFields";
import { NumberField } from "../panels/form/NumberField";
import { TikhonovField } from "../panels/form/TikhonovField";
import { ShapeChoice } from "../panels/landscape/ShapeChoice";
import { pageAddress } from "../state/address/page";
import { flag, integer, number, point, text } from "../state/address/properties";
import { catalog } from "../state/draft";
import { freshness, posted, problemOf, useQuery, waitingWords } from "../state/query";
import { descents, offers } from "../state/scene";
import type { JsonSchema } from "../state/schema";
import { textScale } from "../state/signals";
import { loadTemplates, templates } from "../state/templates";
import { paletteOf } from "../state/theme";
import { Choice } from "../ui/Choice";
import { Control } from "../ui/Control";
import { Main } from "../ui/Main";
import "../panels/landscape/landscape.css";
import "../panels/descents/descents.css";

const STEPS = 100;

export const surfacesAddress = pageAddress("surfaces", {
  function: text("rosenbrock"),
  formula: text("(1 - x)**2 + 100*(y - x**2)**2"),
  /** Null: the function's customary one. */
  start: point(-1e6, 1e6),
  lr: number(0.001, 1e-8, 1e6),
  adam: number(0.05, 1e-8, 1e6),
  newton: number(1, 1e-8, 1e6),
  tikhonov: number(0.1, 1e-9, 1e9),
  step: integer(20, 0, STEPS),
  surface: flag(),
  /** Index of the descent whose quadratic is drawn, or "none". */
  quadratic: text("3"),
});

function methods(lr: number, adam: number, newton: number, tikhonov: number): Method[] {
  return [
    { method: "gradient_descent", lr },
    { method: "momentum", lr },
    { method: "adam", lr: adam },
    { method: "newton", lr: newton, tikhonov },
    { method: "newton", definiteness: "clip", lr: newton, tikhonov },
    { method: "newton", definiteness: "saddle_free", lr: newton, tikhonov },
  ];
}

const LOOKS = methods(1, 1, 1, 1).map(methodOf);

/** What a formula may hold: the server's words. */
const formulaHelp = computed(() => {
  const entry = catalog.value?.losses.find((loss) => loss.name === "formula");
  const parameters = entry?.parameters as JsonSchema | undefined;
  return parameters?.properties?.expression?.description ?? "";
});

const ask = posted<SurfaceQuery, SurfaceAnswer>("api/surfaces");

export function SurfacesPage() {
  useEffect(() => void loadTemplates(), []);
  useEffect(() => surfacesAddress.follow(), []);
  const { formula, start, lr, adam, newton, tikhonov, step, surface } = surfacesAddress.state;
  const { function: name, quadratic: layer } = surfacesAddress.state;
  const formulaId = useId();
  const query = useComputed<SurfaceQuery | null>(() =>
    isOffered("none", name.value)
      ? {
          loss:
            name.value === "formula"
              ? { name: "formula", expression: formula.value }
              : { name: name.value },
          ...(start.value !== null && { start: [...start.value] as [number, number] }),
          walkers: methods(lr.value, adam.value, newton.value, tikhonov.value),
          steps: STEPS,
        }
      : null,
  );
  const asked = useQuery(query, ask);
  const { answer } = asked;
  const problem = problemOf(asked.state.value);
  const found = answer.value;
  const template = templates.value?.landscape;
  const palette = template && paletteOf(template);

  useSignalEffect(() => {
    descents.value = answer.value?.walks ?? [];
  });

  const picture = useComputed(() => {
    const now = answer.value;
    const shape = templates.value?.landscape;
    if (now === null || shape === undefined) return null;
    const ink = paletteOf(shape);
    const landscape = now.picture;
    const chosen = now.walks[Number(layer.value)];
    const quadratic =
      chosen === undefined ? null : quadraticLandscape(chosen, step.value, landscape);
    return landscapeFigure({
      template: shape,
      palette: ink,
      landscape,
      log: true,
      colours: null,
      surface: surface.value,
      layer:
        quadratic === null
          ? null
          : {
              landscape: quadratic,
              colour: ink.curvature,
              label: "quadratic",
            },
      paths: pathsUpTo(ink, now.walks, LOOKS, step.value),
      names: landscape.minima.map((at) => ({ at, text: "✕", colour: ink.ink })),
      titles: ["x", "y"],
      label: "f",
      scale: textScale.value,
    });
  });
  const curve = (which: "values" | "trust") => {
    const now = answer.value;
    const shape = templates.value?.lines;
    if (now === null || shape === undefined) return null;
    const ink = paletteOf(shape);
    return linesFigure({
      template: shape,
      palette: ink,
      lines: linesOf(ink, now.walks, LOOKS, (descent) => descent[which]),
      cursor: step.value,
      titles: ["step", which === "values" ? "f, signed log" : "actual over predicted decrease"],
      scaleY: which === "values" ? "signed" : "linear",
      ...(which === "trust" && { rangeY: [-1, 3] as const }),
      scale: textScale.value,
    });
  };
  const values = useComputed(() => curve("values"));
  const trust = useComputed(() => curve("trust"));
  const at = start.value ?? found?.start ?? [0, 0];
  const place = (axis: 0 | 1) => ({
    get value() {
      return at[axis];
    },
    set value(number: number) {
      start.value = axis === 0 ? [number, at[1]] : [at[0], number];
    },
  });
  return (
    <Main class="compare">
      <aside class="rail" aria-label="Settings">
        <section class="panel">
          <h2>Surface</h2>
          <LossFields kind="none" title="Function" name={name} />
          {name.value === "formula" && offers("formula") && (
            <div class="field">
              <label for={formulaId}>f(x, y)</label>
              <input
                id={formulaId}
                type="text"
                spellcheck={false}
                value={formula.value}
                aria-invalid={problem !== null}
                aria-describedby={`${formulaId}-help`}
                onInput={(event) => {
                  formula.value = event.currentTarget.value;
                }}
              />
              <p class="hint" id={`${formulaId}-help`}>
                {formulaHelp.value}
              </p>
            </div>
          )}
          {problem !== null && (
            <p class="field-error" role="alert">
              {problem}
            </p>
          )}
        </section>
        <section class="panel">
          <h2>
            Descents <small>all from one start</small>
          </h2>
          <Control name="start">
            <NumberField label="Start x" value={place(0)} low={-1e6} high={1e6} />
          </Control>
          <Control name="start">
            <NumberField label="Start y" value={place(1)} low={-1e6} high={1e6} />
          </Control>
          <Control name="lr">
            <NumberField label="Descent, learning rate" value={lr} low={1e-8} high={1e6} />
          </Control>
          <Control name="adam">
            <NumberField label="Adam, learning rate" value={adam} low={1e-8} high={1e6} />
          </Control>
          <Control name="newton">
            <NumberField label="Newton, learning rate" value={newton} low={1e-8} high={1e6} />
          </Control>
          <TikhonovField value={tikhonov} />
        </section>
      </aside>
      <div class="stage" {...freshness(asked)}>
        <StepBar step={step} steps={STEPS} />
        <section class="panel descent-panel" aria-labelledby="surface-title">
          <div class="landscapes-head">
            <h2 id="surface-title">
              Descents on a surface <small>height, log; press a point to start there</small>
            </h2>
            <div class="landscapes-controls">
              <ShapeChoice surface={surface} />
              <Choice
                label="local quadratic of"
                value={layer.value}
                options={[
                  ["none", "none"],
                  ...(found?.walks.map((descent, index): [string, string] => [
                    `${index}`,
                    descent.label,
                  ]) ?? []),
                ]}
                onChange={(value) => {
                  layer.value = value;
                }}
              />
            </div>
          </div>
          <div class="descent-pair">
            <PictureCard
              waiting={waitingWords(asked)}
              title="Surface"
              figure={picture}
              label="Contours of the surface with the descents"
              onPick={(point) => {
                start.value = point;
                step.value = 0;
              }}
            />
            <div>
              <p class="hint">
                Each method fits a quadratic at its point and steps by it. It predicts a decrease of
                f; the ratio of the actual decrease to it says how far it can be trusted: 1 is
                right, below 0 the step went up. Plain Newton goes to the point where the quadratic
                is flat, which can be a saddle or a maximum; clipping and saddle-free do not.
              </p>
              {palette !== undefined && found !== null && (
                <DescentList
                  descents={found.walks}
                  methods={LOOKS}
                  palette={palette}
                  step={step.value}
                  quantity="f"
                  say={trustWords}
                />
              )}
              <div class="descent-lines">
                <PictureCard
                  waiting={waitingWords(asked)}
                  figure={values}
                  title="Height"
                  label="Height over the steps"
                />
              </div>
              <div class="descent-lines">
                <PictureCard
                  waiting={waitingWords(asked)}
                  figure={trust}
                  title="Trust in the quadratic"
                  label="Actual over predicted decrease of each step: at 1 the quadratic was right"
                />
              </div>
            </div>
          </div>
        </section>
      </div>
    </Main>
  );
}
