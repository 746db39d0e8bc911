/** What a Newton loss makes of the loss around one sample's outputs: the quadratic on top of it. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { ApiError } from "../../api/client";
import { type OutputQuery, type OutputSlice, streamSlice } from "../../api/slices";
import { Picture } from "../../charts/Picture";
import { planeFigure } from "../../charts/plane";
import type { Templates } from "../../charts/templates";
import { formatCount } from "../../state/format";
import { cursor, presenting, revision, run, shownTheme, watchRun } from "../../state/signals";
import { Choice } from "./Choice";
import { crossOf, type Surrogate, slopeOf } from "./outputs";

const SURROGATES: Record<Surrogate, string> = {
  "hessian raw": "Hessian",
  "hessian clip": "Hessian, clipped",
  "hessian saddle_free": "Hessian, saddle-free",
  "fisher raw": "Fisher",
};

export function OutputPanel({ templates }: { templates: Templates }) {
  const log = watchRun();
  const open = useSignal(false);
  const arm = useSignal("0");
  const sample = useSignal("0");
  const kind = useSignal<OutputQuery["kind"]>("coordinates");
  const surrogate = useSignal<Surrogate>("hessian raw");
  const span = useSignal("1");
  const answer = useSignal<OutputSlice | null>(null);
  const problem = useSignal<string | null>(null);
  const step = useComputed(() => {
    revision.value;
    const steps = run.value?.snapshots.map((one) => one.step) ?? [];
    return steps.findLast((one) => one <= cursor.value) ?? steps[0] ?? null;
  });
  const id = useComputed(() => run.value?.id ?? "");
  useSignalEffect(() => {
    if (!open.value || id.value === "" || step.value === null) return;
    const [curvature, definiteness] = surrogate.value.split(" ");
    const index = Number(arm.value);
    const query = {
      space: "outputs",
      run: id.value,
      step: step.value,
      arm: index,
      sample: sample.value === "mean" ? null : Number(sample.value),
      kind: kind.value,
      span: Number(span.value),
      surrogates: [
        {
          curvature,
          definiteness,
          tikhonov: run.peek()?.spec?.arms[index]?.tikhonov ?? 0.1,
        },
      ],
      damped: false,
    } as OutputQuery & { space: "outputs" };
    const stop = new AbortController();
    const ask = async (): Promise<void> => {
      problem.value = null;
      try {
        await streamSlice(query, stop.signal, ({ event, data }) => {
          if (event === "slice") answer.value = data;
          else if (event === "problem") problem.value = data.message;
        });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        problem.value = error.message;
      }
    };
    const timer = setTimeout(() => void ask(), 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });
  const figure = useComputed(() => {
    const found = answer.value;
    const template = templates.landscape;
    const quadratic = found?.slice.surrogates[0];
    if (found === null || template === undefined || quadratic === undefined) return null;
    const { slice } = found;
    const palette = template.layout.meta.palettes[shownTheme.value];
    const [blue, orange] = [palette.arms[1]?.color ?? "", palette.arms[2]?.color ?? ""];
    const reach = slice.a.at(-1) ?? 1;
    return planeFigure({
      template,
      palette,
      heights: { x: slice.a, y: slice.b, values: slice.loss },
      log: true,
      colours: null,
      surface: false,
      layer: {
        heights: { x: slice.a, y: slice.b, values: quadratic.values },
        colour: orange,
        label: "quadratic",
      },
      borders: crossOf(quadratic, reach / 3).map((points) => ({
        points,
        look: { colour: palette.soft, dash: "solid" },
      })),
      arrows: [
        { points: [[0, 0], slopeOf(slice.gradient.components, reach / 3)], look: { colour: blue } },
        ...(quadratic.target === null
          ? []
          : [{ points: [[0, 0] as const, quadratic.target], look: { colour: orange } }]),
      ],
      names:
        quadratic.target === null
          ? []
          : [{ at: quadratic.target, text: "z*", colour: palette.ink }],
      titles: ["first direction, in units of the outputs", "second direction"],
      label: "loss",
      scale: presenting.value ? 1.5 : 1,
    });
  });
  if (log === null || log.spec === null || templates.landscape === undefined) return null;
  const found = answer.value?.slice;
  const first = found?.surrogates[0];
  return (
    <section class="panel landscapes" aria-labelledby="outputs-title">
      <div class="landscapes-head">
        <h2 id="outputs-title">
          Loss over the outputs{" "}
          <small>
            and, dashed, the quadratic that a Newton loss fits there
            {answer.value === null ? "" : `, at step ${formatCount(answer.value.step)}`}
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
          <div class="landscapes-controls">
            <Choice
              label="arm"
              value={arm.value}
              options={log.spec.arms.map((one, index) => [`${index}`, one.label || `${index + 1}`])}
              onChange={(value) => {
                arm.value = value;
              }}
            />
            <Choice
              label="sample"
              value={sample.value}
              options={[
                ...[0, 1, 2, 3, 4].map((n): [string, string] => [`${n}`, `${n + 1}`]),
                ["mean", "mean of the batch"],
              ]}
              onChange={(value) => {
                sample.value = value;
              }}
            />
            <Choice
              label="directions"
              value={kind.value}
              options={[
                ["coordinates", "outputs 1 and 2"],
                ["newton", "gradient and Newton direction"],
                ["eigenvectors", "leading eigenvectors"],
              ]}
              onChange={(value) => {
                kind.value = value;
              }}
            />
            <Choice
              label="quadratic"
              value={surrogate.value}
              options={Object.entries(SURROGATES) as [Surrogate, string][]}
              onChange={(value) => {
                surrogate.value = value;
              }}
            />
            <Choice
              label="range"
              value={span.value}
              options={["0.5", "1", "2", "5", "10", "50"].map((one) => [one, `± ${one}`])}
              onChange={(value) => {
                span.value = value;
              }}
            />
          </div>
          {problem.value !== null && (
            <p class="landscapes-note" role="alert">
              No picture: {problem.value}.
            </p>
          )}
          <div class="outputs-picture">
            <Picture figure={figure} label="The loss over two outputs and its Newton quadratic" />
          </div>
          {found !== undefined && first !== undefined && (
            <p class="landscapes-note">
              Blue: the way down the gradient (norm {Number(found.gradient.length.toPrecision(3))}).
              Orange: to z*
              {first.direction === null
                ? `, which there is not: ${first.problem}.`
                : ` (${Number(first.direction.length.toPrecision(3))} away, ${Math.round(100 * first.direction.outside)} % of it outside this plane).`}{" "}
              Cross: eigenvectors, eigenvalues{" "}
              {first.eigenvalues
                .map((value) => (value === null ? "not finite" : Number(value.toPrecision(3))))
                .join(" and ")}
              .
            </p>
          )}
        </>
      )}
    </section>
  );
}
