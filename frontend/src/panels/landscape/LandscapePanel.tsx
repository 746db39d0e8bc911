/** Why one arm wins: the loss over the weights of each arm, on one range, at the playback step. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { keepsLandscapes, type LandscapeQuery } from "../../api/landscapes";
import { heightRange } from "../../charts/landscape";
import type { Templates } from "../../charts/templates";
import { formatCount, formatHeight } from "../../format";
import { armName } from "../../state/arms";
import type { QueryState } from "../../state/query";
import {
  canTrain,
  cursor,
  type LandscapePlane,
  landscapeSettings,
  run,
  runId,
} from "../../state/signals";
import { ArmsLine } from "./ArmsLine";
import { useLandscapes, useNearestSnapshot } from "./ask";
import { LandscapeControls } from "./LandscapeControls";
import "./landscape.css";
import { LandscapeCard } from "./LandscapeCard";
import {
  fittingPlane,
  loggedLandscapes,
  planeWords,
  type ShownLandscape,
  sharedRange,
  streamedLandscapes,
  surfacesOf,
  upTo,
  withSurface,
} from "./model";

const NONE: ShownLandscape[] = [];

export function LandscapePanel({ templates }: { templates: Templates }) {
  const log = run.value;
  const { plane: chosen, points, surface: deep, log: logScale, shared } = landscapeSettings;
  const surfaces = useSignal<string[]>([]);
  /** The run whose fitting plane the server could not make, and why. */
  const refused = useSignal({ run: "", problem: "" });
  const id = runId;
  /** The step of the landscapes that a file has brought along: the last, with whole paths. */
  const kept = useComputed(() => {
    const last = run.value?.snapshots.at(-1)?.step;
    return last !== undefined && keepsLandscapes(id.value, last) ? last : null;
  });
  const plane = useComputed<LandscapePlane>(() => {
    if (!canTrain.value) return kept.value === null ? "run" : fittingPlane(run.value, true);
    if (chosen.value !== null) return chosen.value;
    return refused.value.run === id.value ? "run" : fittingPlane(run.value, true);
  });
  const snapshot = useNearestSnapshot();
  const query = useComputed<LandscapeQuery | null>(() => {
    const step = kept.value ?? snapshot.value;
    if (plane.value === "run" || id.value === "" || step === null) return null;
    return { run: id.value, plane: plane.value, step, points: points.value };
  });
  const { answer, state } = useLandscapes(query);
  useSignalEffect(() => {
    const now = state.value;
    if (now.kind !== "failed" || now.lost || chosen.peek() !== null) return;
    refused.value = { run: id.peek(), problem: now.problem };
  });
  const landscapes = useComputed(() => {
    if (plane.value !== "run") {
      const now = answer.value;
      if (now === null) return NONE;
      const whole = streamedLandscapes(now.start, now.patches);
      return kept.value === null ? whole : upTo(whole, snapshot.value ?? 0);
    }
    return run.value === null ? NONE : loggedLandscapes(run.value, cursor.value);
  });

  const { landscape: template, lines } = templates;
  if (log === null || log.spec === null || template === undefined) return null;
  const none = log.arms.every((arm) => arm.landscapes.length === 0);
  if (none && !canTrain.value && kept.value === null) return null;
  const shown = landscapes.value;
  const range = heightRange(shown.map(({ landscape }) => landscape));
  const alive = deep.value
    ? surfacesOf(
        surfaces.value,
        shown.map(({ key }) => key),
      )
    : [];
  return (
    <section class="panel landscapes" aria-labelledby="landscapes-title">
      <div class="landscapes-head">
        <h2 id="landscapes-title">
          Loss landscape{" "}
          <small>
            the run's loss over the weights, on the same data and range for every arm
            {shown[0] === undefined ? "" : `, at step ${formatCount(shown[0].step)}`}
          </small>
        </h2>
        <LandscapeControls plane={plane.value} />
      </div>
      <p class="landscapes-why">
        {none && plane.value === "run"
          ? "This run recorded no landscapes of its own. Choose a plane, and its snapshots are used."
          : planeWords(plane.value, log, chosen.value !== null, canTrain.value)}
        {refused.value.run === log.id && ` No other plane: ${refused.value.problem}.`}
        {state.value.kind === "asking" && " Computing, coarse to fine…"}
      </p>
      <Problem state={state.value} />
      {shown.length > 0 && <Missing shown={shown} />}
      {shown.length > 0 && (
        <div class="landscapes-grid" data-single={shown.length === 1}>
          {shown.map((one) => (
            <LandscapeCard
              key={one.key}
              shown={one}
              template={template}
              colours={sharedRange(shown, shared.value)}
              log={logScale.value}
              surface={alive.includes(one.key)}
              onSurface={
                deep.value
                  ? () => {
                      surfaces.value = withSurface(alive, one.key);
                    }
                  : null
              }
            />
          ))}
        </div>
      )}
      {range !== null && shared.value && (
        <p class="landscapes-scale">
          <span>{formatHeight(range[0])}</span>
          <span class="landscapes-ramp" aria-hidden="true" />
          <span>
            {formatHeight(range[1])}
            {logScale.value ? ", log" : ""}
          </span>
        </p>
      )}
      {plane.value === "arms" && log.arms.length > 1 && lines !== undefined && (
        <ArmsLine template={lines} step={snapshot} />
      )}
    </section>
  );
}

/** Arms without a picture: their paths are too short for a plane. */
function Missing({ shown }: { shown: readonly ShownLandscape[] }) {
  const without = (run.value?.arms ?? []).flatMap((arm, index) => {
    if (arm.diverged === null || shown.some(({ arms }) => arms.includes(index))) return [];
    const name = armName(run.value?.spec?.arms, index);
    return [`${name} diverged at step ${formatCount(arm.diverged.step)}`];
  });
  if (without.length === 0) return null;
  return <p class="landscapes-note">No picture of arms that left no path: {without.join(", ")}.</p>;
}

function Problem({ state }: { state: QueryState }) {
  if (state.kind !== "failed") return null;
  return (
    <p class="landscapes-note" role="alert">
      No picture: {state.problem}.
    </p>
  );
}
