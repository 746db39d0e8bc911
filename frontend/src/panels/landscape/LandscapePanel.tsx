/** Why one arm wins: the loss around each arm's weights, on the same plane, at the playback step. */

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { ApiError } from "../../api/client";
import { type SlicePatch, type SliceQuery, type SliceStart, streamSlice } from "../../api/slices";
import { heightRange, shortNumber } from "../../charts/heights";
import { Picture } from "../../charts/Picture";
import { planeFigure } from "../../charts/plane";
import type { Template, Templates } from "../../charts/templates";
import { formatCount } from "../../state/format";
import {
  canTrain,
  cursor,
  presenting,
  revision,
  run,
  shownTheme,
  styles,
  watchRun,
} from "../../state/signals";
import { Choice } from "./Choice";
import "./landscape.css";
import {
  loggedPictures,
  MOST_SURFACES,
  residualWords,
  type SlicePicture,
  sharedRange,
  streamedPictures,
  withSurface,
} from "./model";

type Plane = "run" | SliceQuery["plane"];

const PLANES: [Plane, string][] = [
  ["run", "from the run"],
  ["filter_normalised", "two random directions"],
  ["principal", "principal directions of the paths"],
  ["arms", "through the arms' weights"],
];
const NO_PICTURES: SlicePicture[] = [];

export function LandscapePanel({ templates }: { templates: Templates }) {
  const log = watchRun();
  const plane = useSignal<Plane>("run");
  const points = useSignal(41);
  const deep = useSignal(false);
  const surfaces = useSignal<string[]>([]);
  const logScale = useSignal(true);
  const shared = useSignal(true);
  const asked = useSignal<{ start: SliceStart; patches: Map<number, SlicePatch> } | null>(null);
  const status = useSignal<"idle" | "computing" | { problem: string }>("idle");

  const pictures = useComputed(() => {
    revision.value;
    if (plane.value !== "run") {
      const answer = asked.value;
      return answer === null ? NO_PICTURES : streamedPictures(answer.start, answer.patches);
    }
    return run.value === null ? NO_PICTURES : loggedPictures(run.value, cursor.value);
  });

  // The nearest snapshot answers: only another one is a reason to ask again.
  const snapshot = useComputed(() => {
    revision.value;
    const steps = run.value?.snapshots.map((one) => one.step) ?? [];
    const at = cursor.value;
    return steps.reduce<number | null>(
      (best, step) => (best === null || Math.abs(step - at) < Math.abs(best - at) ? step : best),
      null,
    );
  });
  const id = useComputed(() => run.value?.id ?? "");
  useSignalEffect(() => {
    id.value;
    plane.value;
    asked.value = null;
  });
  useSignalEffect(() => {
    const step = snapshot.value;
    if (plane.value === "run" || id.value === "" || step === null) return;
    const stop = new AbortController();
    const query = { run: id.value, plane: plane.value, step, points: points.value };
    const compute = async (): Promise<void> => {
      status.value = "computing";
      try {
        await streamSlice(query, stop.signal, ({ event, data }) => {
          if (event === "start") asked.value = { start: data, patches: new Map() };
          else if (event === "patch" && asked.value !== null) {
            const patches = new Map(asked.value.patches).set(data.picture, data);
            asked.value = { start: asked.value.start, patches };
          } else if (event === "problem") status.value = { problem: data.message };
        });
        if (status.value === "computing") status.value = "idle";
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        status.value = { problem: error.message };
      }
    };
    // Scrubbing passes many snapshots; the one that it stays at is computed.
    const timer = setTimeout(() => void compute(), 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });

  const template = templates.landscape;
  if (log === null || log.spec === null || template === undefined) return null;
  const none = log.arms.every((arm) => arm.landscapes.length === 0);
  if (none && !canTrain.value) return null;
  const shown = pictures.value;
  const range = heightRange(shown.map((picture) => picture.heights));
  return (
    <section class="panel landscapes" aria-labelledby="landscapes-title">
      <div class="landscapes-head">
        <h2 id="landscapes-title">
          Loss landscape{" "}
          <small>
            the run's loss over the weights, same plane and range for every arm
            {shown[0] === undefined ? "" : `, at step ${formatCount(shown[0].step)}`}
          </small>
        </h2>
        <div class="landscapes-controls">
          {canTrain.value && (
            <Choice
              label="plane"
              value={plane.value}
              options={PLANES}
              onChange={(value) => {
                plane.value = value;
              }}
            />
          )}
          {plane.value !== "run" && (
            <Choice
              label="points a side"
              value={`${points.value}`}
              options={[21, 41, 61, 81, 101].map((n) => [`${n}`, `${n}`])}
              onChange={(value) => {
                points.value = Number(value);
              }}
            />
          )}
          <Choice
            label="shape"
            value={deep.value ? "surface" : "contour"}
            options={[
              ["contour", "contours"],
              ["surface", "3-D surface"],
            ]}
            onChange={(value) => {
              deep.value = value === "surface";
              surfaces.value = shown.slice(0, MOST_SURFACES).map((picture) => picture.key);
            }}
          />
          <Choice
            label="height"
            value={logScale.value ? "log" : "linear"}
            options={[
              ["log", "log"],
              ["linear", "linear"],
            ]}
            onChange={(value) => {
              logScale.value = value === "log";
            }}
          />
          <Choice
            label="colours"
            value={shared.value ? "shared" : "own"}
            options={[
              ["shared", "shared by all"],
              ["own", "each its own"],
            ]}
            onChange={(value) => {
              shared.value = value === "shared";
            }}
          />
        </div>
      </div>
      <Status status={status.value} none={none && plane.value === "run"} />
      {shown.length > 0 && (
        <div class="landscapes-grid" style={{ "--pictures": `${shown.length}` }}>
          {shown.map((picture) => (
            <SliceCard
              key={picture.key}
              picture={picture}
              template={template}
              colours={sharedRange(shown, shared.value)}
              log={logScale.value}
              surface={deep.value && surfaces.value.includes(picture.key)}
              onSurface={
                deep.value
                  ? () => {
                      surfaces.value = withSurface(surfaces.value, picture.key);
                    }
                  : null
              }
            />
          ))}
        </div>
      )}
      {range !== null && shared.value && (
        <p class="landscapes-scale">
          <span>{shortNumber(range[0])}</span>
          <span class="landscapes-ramp" aria-hidden="true" />
          <span>
            {shortNumber(range[1])}
            {logScale.value ? ", log" : ""}
          </span>
        </p>
      )}
    </section>
  );
}

function Status(props: { status: "idle" | "computing" | { problem: string }; none: boolean }) {
  const { status, none } = props;
  if (typeof status === "object") {
    return (
      <p class="landscapes-note" role="alert">
        No picture: {status.problem}.
      </p>
    );
  }
  if (status === "computing") return <p class="landscapes-note">Computing, coarse to fine…</p>;
  if (!none) return null;
  return (
    <p class="landscapes-note">
      This run recorded no slices of its own. Choose a plane, and its snapshots are used.
    </p>
  );
}

interface CardProps {
  picture: SlicePicture;
  template: Template;
  colours: [number, number] | null;
  log: boolean;
  surface: boolean;
  /** Makes a surface of it; null where all are contours. */
  onSurface: (() => void) | null;
}

function SliceCard(props: CardProps) {
  const { picture, surface, onSurface } = props;
  const names = picture.arms.map((arm) => run.value?.spec?.arms[arm]?.label || `Arm ${arm + 1}`);
  const given = useSignal(props);
  given.value = props;
  const figure = useComputed(() => {
    const { picture: now, template, colours, log, surface: deep } = given.value;
    return planeFigure({
      template,
      palette: template.layout.meta.palettes[shownTheme.value],
      heights: now.heights,
      log,
      colours,
      surface: deep,
      paths: now.paths.map((path) => ({
        points: path.points,
        here: true,
        look: {
          colour: lookOf(template, path.arm),
          dash: "solid",
          marker: styles.value[path.arm]?.marker ?? "circle",
        },
      })),
      titles: ["first direction", "second direction"],
      label: "loss",
      scale: presenting.value ? 1.5 : 1,
    });
  });
  return (
    <div class="landscape" data-surface={surface}>
      <h3>
        {picture.arms.map((arm, index) => (
          <span key={arm} style={{ color: styles.value[arm]?.ink }}>
            {names[index]}
            {index < names.length - 1 ? ", " : ""}
          </span>
        ))}{" "}
        {picture.paths.map((path) => (
          <small key={path.arm}>
            {picture.paths.length > 1 ? `${names[picture.arms.indexOf(path.arm)]}: ` : ""}
            {residualWords(path.residual)}
          </small>
        ))}
      </h3>
      <Picture
        figure={figure}
        label={`Loss around the weights of ${names.join(", ")} at step ${picture.step}`}
      />
      {onSurface !== null && !surface && (
        <button type="button" onClick={onSurface}>
          Show in 3-D
        </button>
      )}
    </div>
  );
}

/** An arm's colour as Plotly takes it. */
function lookOf(template: Template, arm: number): string {
  const { arms } = template.layout.meta.palettes[shownTheme.value];
  const slot = styles.value[arm]?.slot ?? 0;
  return (arms[slot] ?? arms[0])?.color ?? "#808080";
}
