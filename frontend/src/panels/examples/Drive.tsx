/** The paths that an arm drives, each over the band that is close to the wanted one. */

import { formatMeasured } from "../../format";
import { runSpec } from "../../state/signals";
import { vocabulary } from "../../state/vocabulary";
import { ConditionChart } from "./ConditionChart";
import { describeDrives, drivesOf, frameOf, lineOf, tally } from "./drives";
import "./drives.css";
import type { ExamplesProps, SharedProps } from "./props";

export function Drive({ items, all, look, label }: ExamplesProps) {
  const drives = drivesOf(items);
  if (drives.length === 0) return <p class="map-words">nothing yet</p>;
  const { viewBox, side } = frameOf(drivesOf(all[0] ?? items));
  const dot = side / 70;
  const good = drives.every((drive) => drive.close);
  return (
    <figure class="drive">
      <svg
        class="drive-picture"
        viewBox={viewBox}
        role="img"
        aria-label={`${label}: ${describeDrives(drives)}`}
      >
        {drives.map(({ path, wanted, tolerance }) => (
          <polyline
            key={path}
            class="drive-band"
            points={lineOf(wanted ?? [])}
            style={{ strokeWidth: 2 * tolerance }}
          />
        ))}
        {drives.map(({ path, wanted }) => (
          <polyline key={path} class="drive-wanted" points={lineOf(wanted ?? [])} />
        ))}
        {drives.map(({ path, driven }) => {
          const end = driven?.at(-1);
          if (driven === null || end === undefined) return null;
          return (
            <g key={path} style={{ color: look.colour }}>
              <polyline class="drive-line" points={lineOf(driven)} />
              <circle class="drive-end" cx={end[0]} cy={-end[1]} r={1.4 * dot} />
            </g>
          );
        })}
        {drives.flatMap(({ path, way_points: points }) =>
          points.map(([x, y]) => (
            <circle key={`${path},${x},${y}`} class="drive-point" cx={x} cy={-y} r={dot} />
          )),
        )}
        <circle class="drive-start" cx={0} cy={0} r={1.5 * dot} />
      </svg>
      <figcaption class={good ? "drive-verdict right" : "drive-verdict"}>
        {tally(drives)}
      </figcaption>
    </figure>
  );
}

/** How to read the pictures, and why curvature has something to do here. */
export function DriveNotes({ all }: SharedProps) {
  const task = runSpec.value?.task;
  const steps = task !== undefined && "steps" in task ? Number(task.steps) : 0;
  const tolerance = drivesOf(all[0] ?? [])[0]?.tolerance ?? 0;
  const conditions = vocabulary.value.conditions.trajectory ?? [];
  return (
    <div class="drive-notes">
      <ul class="map-legend">
        <li>
          <svg viewBox="0 0 2.4 1" aria-hidden="true">
            <path class="drive-band" d="M.4 .5H2" stroke-width="0.7" />
            <path class="drive-wanted" d="M.4 .5H2" />
          </svg>
          the wanted path and what lies within {formatMeasured(tolerance)} of it
        </li>
        <li>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <circle class="drive-point" cx=".5" cy=".5" r=".22" />
          </svg>
          way-points, all that the network is told
        </li>
        <li>
          <svg viewBox="0 0 2.4 1" aria-hidden="true">
            <path class="drive-line drive-any" d="M.2 .5H2.2" />
          </svg>
          where the arm drives
        </li>
      </ul>
      {conditions.length > 0 && (
        <div class="drive-why">
          <ConditionChart values={conditions} size="steps of time" here={steps} />
          <p>
            <b>Why curvature can win here.</b> The first acceleration moves the whole path, the last
            one only its very end. How strongly the loss feels a change differs{" "}
            {timesWords(conditions, steps)}
            between directions. The gradient learns the strong directions first; neither a learning
            rate nor Adam, which scales each weight by itself, can even this out. The Newton step
            (JᵀJ + λI)⁻¹ Jᵀr divides each direction by its own strength.
          </p>
        </div>
      )}
    </div>
  );
}

function timesWords(conditions: readonly (readonly [number, number])[], steps: number): string {
  const found = conditions.find(([size]) => size === steps);
  return found === undefined
    ? "with the fourth power of the steps "
    : `${formatMeasured(found[1] / 1e6, 2)} million-fold `;
}
