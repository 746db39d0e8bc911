/** How far curvature can turn the gradient of an arm: the angle over eight decades of damping. */

import { useComputed, useSignal } from "@preact/signals";
import { asksNobody } from "../../api/kept";
import { streamLandscape, type TurnAnswer, type TurnQuery } from "../../api/landscapes";
import { linesFigure } from "../../charts/lines";
import type { Templates } from "../../charts/templates";
import { formatCount } from "../../format";
import { settingsAt } from "../../state/edit";
import { framed, pointedArm } from "../../state/frame";
import { type Ask, problemOf, useQuery } from "../../state/query";
import { runId, runSpec, textScale } from "../../state/signals";
import { paletteOf } from "../../state/theme";
import { Choice } from "../../ui/Choice";
import { ShowButton } from "../../ui/ShowButton";
import { PictureCard } from "../charts/PictureCard";
import { descentLook } from "../descents/descents";
import { useNearestSnapshot } from "../landscape/ask";
import "../landscape/landscape.css";
import "./turn.css";
import { NAMES, ownDamping, pointAt, sharesOf, turnWords } from "./turn";

const MOST_SAMPLES = 200;

const askTurn: Ask<TurnQuery, TurnAnswer> = async (query, signal, receive) => {
  for await (const { event, data } of streamLandscape(query, signal)) {
    if (event === "turn") receive(data);
  }
};

export function TurnPanel({ templates }: { templates: Templates }) {
  const open = useSignal(framed.peek() || asksNobody());
  const chosen = useSignal(pointedArm.peek() ?? 0);
  const step = useNearestSnapshot("turn");
  const arm = useComputed(() => Math.min(chosen.value, (runSpec.value?.arms.length ?? 1) - 1));
  const query = useComputed<TurnQuery | null>(() => {
    const spec = runSpec.value;
    if (!open.value || spec === null || runId.value === "" || step.value === null) return null;
    const samples = Math.min(spec.batch_size, MOST_SAMPLES);
    return { space: "turn", run: runId.value, step: step.value, arm: arm.value, samples };
  });
  const about = useComputed(() => `${runId.value} ${arm.value}`);
  const { answer, state } = useQuery(query, askTurn, about);
  const template = templates.lines;
  const figure = useComputed(() => {
    const found = answer.value;
    const own = runSpec.value?.arms[arm.value];
    if (found === null || own === undefined || template === undefined) return null;
    const palette = paletteOf(template);
    const set = runSpec.value && settingsAt(runSpec.value, arm.value, found.step).tikhonov;
    return linesFigure({
      template,
      palette,
      lines: found.curves.map((curve) => ({
        x: sharesOf(curve),
        y: curve.degrees,
        name: NAMES[curve.curvature],
        ...descentLook(palette, curve.curvature),
      })),
      dots: found.curves.flatMap((curve) => {
        const tikhonov = set === null ? null : ownDamping(own, curve, set);
        const point = tikhonov === null ? null : pointAt(curve, tikhonov);
        const { colour, marker } = descentLook(palette, curve.curvature);
        return point === null ? [] : [{ ...point, colour, marker }];
      }),
      titles: ["λ over the largest eigenvalue", "turn of the gradient, degrees"],
      scaleX: "log",
      scaleY: "linear",
      scale: textScale.value,
    });
  });
  const spec = runSpec.value;
  if (spec === null || template === undefined) return null;
  const found = answer.value;
  const problem = problemOf(state.value);
  return (
    <section class="panel landscapes" aria-labelledby="turn-title">
      <div class="landscapes-head">
        <h2 id="turn-title">
          How far can curvature turn the gradient?{" "}
          <small>
            the angle of the Newton step, over its damping
            {found === null ? "" : `, at step ${formatCount(found.step)}`}
          </small>
        </h2>
        <ShowButton open={open} />
      </div>
      {open.value && (
        <>
          <div class="landscapes-controls">
            <Choice
              label="arm"
              value={`${arm.value}`}
              options={spec.arms.map((one, index) => [`${index}`, one.label])}
              onChange={(value) => {
                chosen.value = Number(value);
              }}
            />
          </div>
          <p class="landscapes-note" role={problem === null ? undefined : "alert"}>
            {problem !== null
              ? `No picture: ${problem}.`
              : found === null
                ? step.value === null
                  ? "The run has left no snapshot yet."
                  : "Computing…"
                : turnWords(found.curves)}
          </p>
          <div class="turn-picture">
            <PictureCard
              figure={figure}
              title="Turn of the gradient over the damping"
              label="Angle between gradient and Newton step over the damping: Hessian blue, Fisher orange"
            />
          </div>
        </>
      )}
    </section>
  );
}
