/** What curvature did to the gradient of one sample: rescaled it, turned it, or both. */

import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { asksNobody } from "../../api/kept";
import { type StepQuery, type StepSeen, streamLandscape } from "../../api/landscapes";
import type { Template, Templates } from "../../charts/templates";
import { formatCount } from "../../format";
import { armName } from "../../state/arms";
import { pointedArm } from "../../state/frame";
import { type Ask, freshness, problemOf, useQuery, waitingWords } from "../../state/query";
import { cursor, run, runId, runSpec, styles, textScale } from "../../state/signals";
import { paletteOf } from "../../state/theme";
import { asking } from "../../state/whatIf";
import { announce } from "../../ui/announce";
import { Choice } from "../../ui/Choice";
import { ShowButton } from "../../ui/ShowButton";
import { PictureCard } from "../charts/PictureCard";
import { useNearestSnapshot } from "../landscape/ask";
import "../landscape/landscape.css";
import "./curvature.css";
import { Formula } from "./Formula";
import { stepFigure } from "./figure";
import { Spikes } from "./Spikes";
import {
  degreeText,
  firstArm,
  gapWords,
  halfOf,
  halfWords,
  kindOf,
  lengthWords,
  type Piece,
  placeWords,
  problemWords,
  type Redamping,
  ratioText,
  redampingOf,
  redampingWords,
  type StepChoice,
  stepQuery,
  takenWords,
  tikhonovOf,
  turnWords,
  whyWords,
} from "./step";

const LONGEST = "longest";
const SAMPLES = 5;
const WHICH = ["rescaled", "turned"] as const;

const ask: Ask<StepQuery, { query: StepQuery; seen: StepSeen }> = async (
  query,
  signal,
  receive,
) => {
  for await (const { event, data } of streamLandscape(query, signal)) {
    if (event === "step") receive({ query, seen: data });
  }
};

export function CurvaturePanel({ templates }: { templates: Templates }) {
  const spec = runSpec.value;
  const open = useSignal(true);
  const choice = useSignal<StepChoice>({ arm: pointedArm.peek(), sample: null });
  const highlight = useSignal<Piece | null>(null);
  const arm = useComputed(() => {
    const arms = runSpec.value?.arms.length ?? 0;
    const { arm: chosen } = choice.value;
    if (chosen !== null && chosen < arms) return chosen;
    return runSpec.value === null ? 0 : firstArm(runSpec.value);
  });
  // Whose λ is dragged is looked at.
  useSignalEffect(() => {
    const now = asking.value;
    if (now?.setting.tikhonov !== undefined) choice.value = { ...choice.peek(), arm: now.arm };
  });
  const step = useNearestSnapshot("step");
  const changed = useComputed<Redamping | null>(() => {
    const now = runSpec.value;
    if (now === null) return null;
    const drag = asking.value;
    const from = tikhonovOf(now, arm.value, drag?.step ?? 0);
    if (drag?.arm === arm.value && drag.setting.tikhonov !== undefined && from !== null) {
      return { step: drag.step, from, to: drag.setting.tikhonov };
    }
    return redampingOf(now, arm.value, cursor.value);
  });
  const question = useComputed<string | null>(() => {
    const now = runSpec.value;
    if (!open.value || now === null || runId.value === "" || step.value === null) return null;
    const { sample } = choice.value;
    const at = [step.value, arm.value, sample, changed.value, cursor.value] as const;
    return JSON.stringify(stepQuery(runId.value, now, ...at));
  });
  const query = useComputed(() =>
    question.value === null ? null : (JSON.parse(question.value) as StepQuery),
  );
  const asked = useQuery(query, ask, runId);
  /** The latest answer, unless it is another arm's: what is drawn and said never mixes two. */
  const seen = useComputed(() => {
    const answer = asked.answer.value;
    return answer?.query.arm === arm.value ? answer.seen : null;
  });
  const said = useComputed(() => {
    const answer = asked.answer.value;
    const now = changed.value;
    const before = answer?.seen.plane.before;
    const own = runSpec.value?.arms[arm.value];
    if (before == null || now === null || own === undefined) return "";
    if (answer?.query.tikhonov !== now.to || answer.query.earlier !== now.from) return "";
    return redampingWords(now, before, own.optimizer);
  });
  useSignalEffect(() => {
    if (said.value !== "") announce(said.value);
  });
  const template = templates.step;
  const own = spec?.arms[arm.value];
  const log = run.value;
  if (spec === null || template === undefined || own === undefined || log === null) return null;
  const style = styles.value[arm.value];
  const name = armName(spec.arms, arm.value);
  const problem = problemOf(asked.state.value);
  const diverged = log.arms[arm.value]?.diverged ?? null;
  const now = seen.value;
  const change = now?.plane.change ?? null;
  const half = halfOf(own);
  const gaps = now === null ? "" : gapWords(now.plane.views[0], now.plane.step, spec.task.name);
  const waiting = waitingWords(asked);
  const title = <b style={{ color: style?.ink }}>{name}</b>;
  return (
    <section class="panel curvature" aria-labelledby="curvature-title">
      <div class="landscapes-head">
        <h2 id="curvature-title">What curvature does to a gradient</h2>
        <div class="landscapes-controls">
          {open.value && (
            <>
              <Choice
                label="arm"
                value={`${arm.value}`}
                options={spec.arms.map((_, index) => [`${index}`, armName(spec.arms, index)])}
                onChange={(value) => {
                  choice.value = { ...choice.peek(), arm: Number(value) };
                }}
              />
              {!asksNobody() && (
                <Choice
                  label="sample"
                  value={choice.value.sample === null ? LONGEST : `${choice.value.sample}`}
                  options={[
                    [LONGEST, "with the longest gradient"],
                    ...Array.from(
                      { length: Math.min(SAMPLES, spec.batch_size) },
                      (_, index): [string, string] => [`${index}`, `${index + 1}`],
                    ),
                  ]}
                  onChange={(value) => {
                    const sample = value === LONGEST ? null : Number(value);
                    choice.value = { ...choice.peek(), sample };
                  }}
                />
              )}
            </>
          )}
          <ShowButton open={open} />
        </div>
      </div>
      {open.value && (
        <>
          <p class="curvature-verdict">
            {change !== null && half !== null ? (
              <>
                <strong>{half === "length" ? "The length alone." : "The direction alone."}</strong>{" "}
                {halfWords(half, change)[0]} {title} {halfWords(half, change)[1]}{" "}
                {now !== null && <small>({placeWords(now)})</small>}
              </>
            ) : change !== null ? (
              <>
                <strong>{kindOf(change)}.</strong> {title} {lengthWords(change)}{" "}
                {`${turnWords(change)}. `}
                {now !== null && <small>({placeWords(now)})</small>}
              </>
            ) : own.curvature === "none" && now !== null ? (
              <>
                <strong>Nothing turned, nothing rescaled.</strong> {title} has no curvature: it
                steps along −g. Choose another arm to see what its curvature makes of it.{" "}
                <small>({placeWords(now)})</small>
              </>
            ) : (
              <>
                {title}
                {now?.plane.problem == null
                  ? ""
                  : ` has no Newton step here: ${now.plane.problem}.`}
              </>
            )}
          </p>
          {diverged !== null && (
            <p class="landscapes-note">
              {name} diverged at step {formatCount(diverged.step)} ({diverged.reason}); later
              pictures are of the weights that it stopped with.
            </p>
          )}
          {problem !== null && (
            <p class="landscapes-note" role="alert">
              {problemWords(problem, log)}
            </p>
          )}
          {step.value === null && (
            <p class="landscapes-note">{problemWords("the run has left no snapshot", log)}</p>
          )}
          <div class="curvature-row" {...freshness(asked)}>
            {(now !== null || waiting !== "") &&
              WHICH.map((which) => (
                <Side
                  key={which}
                  which={which}
                  seen={seen}
                  template={template}
                  arm={arm}
                  highlight={highlight}
                  waiting={waiting}
                />
              ))}
            {now !== null && (
              <p class="curvature-key">
                Shading: the loss itself, the stronger the lower.
                {change !== null &&
                  " Dashed lines: the quadratic that the Newton step uses in its place; z* is where that is level."}
              </p>
            )}
            <div class="curvature-side">
              <Formula
                highlight={highlight}
                plane={now?.plane ?? null}
                arm={own}
                ink={style?.ink ?? "inherit"}
              />
              {now !== null && change !== null && (
                <p>
                  {whyWords(now.plane)} {said.value === "" && takenWords(own, change)}
                </p>
              )}
              {now?.plane.batch_change != null && (
                <p>
                  The mean of the whole batch: {ratioText(now.plane.batch_change.ratio)}, turned by{" "}
                  {degreeText(now.plane.batch_change.degrees)}.
                </p>
              )}
              {said.value !== "" && <p class="curvature-change">{said.value}</p>}
              {gaps !== "" && <p>{gaps}</p>}
            </div>
          </div>
          <Spikes />
        </>
      )}
    </section>
  );
}

interface SideProps {
  which: "rescaled" | "turned";
  seen: ReadonlySignal<StepSeen | null>;
  template: Template;
  arm: ReadonlySignal<number>;
  highlight: ReadonlySignal<Piece | null>;
  waiting: string;
}

/** One of the two pictures, under its number. */
function Side({ which, seen, template, arm, highlight, waiting }: SideProps) {
  const figure = useComputed(() => {
    const now = seen.value;
    if (now === null) return null;
    const palette = paletteOf(template);
    const slot = styles.value[arm.value]?.slot ?? 1;
    return stepFigure({
      template,
      palette,
      plane: now.plane,
      which,
      colour: palette.arms[slot]?.color ?? palette.ink,
      highlight: highlight.value,
      scale: textScale.value,
    });
  });
  const now = seen.value;
  const change = now?.plane.change ?? null;
  const long = which === "rescaled";
  const whose = armName(runSpec.value?.arms, arm.value);
  return (
    <div class="curvature-picture">
      <h3>
        {long ? "Rescaled" : "Turned"}{" "}
        <b>{change === null ? "" : long ? ratioText(change.ratio) : degreeText(change.degrees)}</b>
        <small>{long ? "as long as they are" : "each divided by its length"}</small>
      </h3>
      <PictureCard
        figure={figure}
        title={
          long
            ? `${whose}: gradient and Newton step, true lengths`
            : `${whose}: gradient and Newton step, directions`
        }
        note={
          now === null
            ? undefined
            : `${change === null ? "No curvature" : `Curvature ${lengthWords(change)} ${turnWords(change)}`} (${placeWords(now)}).`
        }
        label={
          long
            ? "Gradient and Newton step as long as they are, on the loss and its quadratic"
            : "Gradient and Newton step of one length, with the angle between them"
        }
        waiting={waiting}
      />
    </div>
  );
}
