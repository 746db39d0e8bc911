/** What a Newton loss makes of the loss around one sample's outputs: the quadratic on top of it. */

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { type OutputQuery, streamLandscape } from "../../api/landscapes";
import { type PlanePoint, pointAt } from "../../charts/landscape";
import { landscapeFigure } from "../../charts/landscapeFigure";
import { Picture } from "../../charts/Picture";
import type { Template, Templates } from "../../charts/templates";
import { formatCount } from "../../format";
import { useQuery } from "../../state/query";
import { cursor, run, runId, runSpec, textScale } from "../../state/signals";
import { paletteOf } from "../../state/theme";
import "../landscape/landscape.css";
import { OutputControls } from "./OutputControls";
import { OutputNotes } from "./OutputNotes";
import "./outputs.css";
import {
  axisTitles,
  crossOf,
  firstOutputs,
  type OutputChoice,
  outputQuery,
  type Shown,
  slopeOf,
} from "./outputs";
import { TileMap } from "./TileMap";

interface Question {
  choice: OutputChoice;
  task: string;
  query: OutputQuery;
}

const START: OutputChoice = {
  arm: 0,
  sample: 0,
  kind: "coordinates",
  first: 0,
  second: 1,
  surrogate: null,
  damped: true,
  span: null,
};

export function OutputPanel({ templates }: { templates: Templates }) {
  const spec = runSpec.value;
  const open = useSignal(false);
  const choice = useSignal(START);
  /** The task whose first answer named two outputs worth varying. */
  const settled = useSignal("");
  const turn = useSignal<0 | 1>(0);
  const step = useComputed(() => {
    const steps = run.value?.snapshots.map((one) => one.step) ?? [];
    return steps.findLast((one) => one <= cursor.value) ?? steps[0] ?? null;
  });
  const id = runId;
  const asked = useComputed<OutputChoice | null>(() => {
    const now = choice.value;
    if (!open.value || id.value === "" || step.value === null) return null;
    const spec = runSpec.peek();
    if (spec === null) return null;
    const known = JSON.stringify(spec.task) === settled.peek();
    return {
      ...now,
      ...(now.arm < spec.arms.length ? {} : { arm: START.arm, surrogate: null }),
      ...(known ? {} : { first: START.first, second: START.second }),
    };
  });
  const question = useComputed<Question | null>(() => {
    const spec = runSpec.peek();
    if (asked.value === null || step.value === null || spec === null) return null;
    const query = outputQuery(id.value, spec, step.value, asked.value);
    return { choice: asked.value, task: JSON.stringify(spec.task), query };
  });
  const { answer: shown, state } = useQuery<Question, Shown>(
    question,
    async ({ choice: now, task, query }, signal, receive) => {
      for await (const { event, data } of streamLandscape(query, signal)) {
        if (event !== "slice") continue;
        receive({ choice: now, samples: query.samples, found: data });
        if (task === settled.peek()) continue;
        settled.value = task;
        const [first, second] = firstOutputs(data);
        if (first !== now.first || second !== now.second) choice.value = { ...now, first, second };
      }
    },
    id,
  );
  const template = templates.landscape;
  if (spec === null || template === undefined) return null;
  const now = shown.value;
  const isAsking = state.value.kind === "asking";
  return (
    <section class="panel landscapes" aria-labelledby="outputs-title">
      <div class="landscapes-head">
        <h2 id="outputs-title">
          Loss over the outputs{" "}
          <small>
            and, dashed, the quadratic that a Newton loss fits there
            {now === null ? "" : `, at step ${formatCount(now.found.step)}`}
          </small>
        </h2>
        <button
          type="button"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {open.value ? "Hide" : "Show"}
        </button>
      </div>
      {open.value && (
        <>
          <OutputControls
            spec={spec}
            step={step.value ?? 0}
            choice={choice}
            found={now?.found ?? null}
          />
          {state.value.kind === "failed" && (
            <p class="landscapes-note" role="alert">
              No picture: {state.value.problem}.
            </p>
          )}
          {isAsking && now === null && <p class="landscapes-note">Computing…</p>}
          <div class="outputs">
            <div class="outputs-picture" aria-busy={isAsking}>
              <OutputPicture shown={shown} template={template} />
            </div>
            <div class="outputs-side">
              {now !== null &&
                now.found.shape.length === 2 &&
                choice.value.kind === "coordinates" && (
                  <TileMap
                    found={now.found}
                    chosen={[choice.value.first, choice.value.second]}
                    turn={turn}
                    onChoose={([first, second]) => {
                      choice.value = { ...choice.peek(), first, second };
                    }}
                  />
                )}
              {now !== null && <OutputNotes spec={spec} shown={now} />}
            </div>
          </div>
        </>
      )}
    </section>
  );
}

function OutputPicture(props: { shown: ReadonlySignal<Shown | null>; template: Template }) {
  const { shown, template } = props;
  const figure = useComputed(() => {
    const now = shown.value;
    const quadratic = now?.found.slice.surrogates[0];
    if (now === null || quadratic === undefined) return null;
    const { slice } = now.found;
    const palette = paletteOf(template);
    const orange = palette.arms[2]?.color ?? palette.ink;
    const reach = slice.a.at(-1) ?? 1;
    const up = pointAt(...slice.gradient.components);
    const target = quadratic.target && pointAt(...quadratic.target);
    const arrowTo = (point: PlanePoint | null, colour: string) =>
      point === null ? [] : [{ points: [[0, 0] as const, point], look: { colour } }];
    return landscapeFigure({
      template,
      palette,
      landscape: { x: slice.a, y: slice.b, values: slice.loss },
      log: true,
      colours: null,
      surface: false,
      layer: {
        landscape: { x: slice.a, y: slice.b, values: quadratic.values },
        colour: orange,
        label: "quadratic",
      },
      borders: crossOf(quadratic, reach / 3).map((points) => ({
        points,
        look: { colour: palette.soft, dash: "solid" },
      })),
      arrows: [...arrowTo(up && slopeOf(up, reach / 3), palette.ink), ...arrowTo(target, orange)],
      names: target === null ? [] : [{ at: target, text: "z*", colour: palette.ink }],
      titles: axisTitles(now.choice, now.found),
      label: "loss",
      scale: textScale.value,
    });
  });
  return <Picture figure={figure} label="The loss over two outputs and its Newton quadratic" />;
}
