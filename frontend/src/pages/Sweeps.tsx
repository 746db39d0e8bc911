/** Sweeps: a grid of settings on tuning seeds, the best one on seeds that chose nothing. */

import { useEffect } from "preact/hooks";
import { formatCount } from "../format";
import { HeatMap } from "../panels/sweeps/HeatMap";
import { Report } from "../panels/sweeps/Report";
import { SweepForm } from "../panels/sweeps/SweepForm";
import {
  loadList,
  remove,
  resume,
  type Sweep,
  showSweep,
  stop,
  sweep,
  sweeps,
} from "../panels/sweeps/sweep";
import { place } from "../state/address/router";
import { Link } from "../ui/Link";
import { RemoveButton } from "../ui/RemoveButton";
import "../panels/sweeps/sweeps.css";

/** The id of the sweep that a path shows; null: none. */
export function sweepIdOf(path: string): string | null {
  return /^sweeps\/([^/]+)$/.exec(path)?.[1] ?? null;
}

export function SweepsPage() {
  const id = sweepIdOf(place.value.path);
  useEffect(() => void loadList(), []);
  useEffect(() => (id === null ? undefined : showSweep(id)), [id]);
  const shown = sweep.value;
  return (
    <main class="compare">
      <aside class="rail" aria-label="Settings">
        <SweepForm />
        <Sweeps current={id} />
      </aside>
      <div class="stage">
        {shown === null ? (
          <section class="panel empty">
            <h2>{id === null ? "Which settings are best, and is it luck?" : "Loading…"}</h2>
            <p>
              A sweep trains every combination of a grid on the same tuning seeds. The best one then
              runs again on seeds that chose nothing, and only those numbers claim anything. What
              was ever computed is not computed again.
            </p>
          </section>
        ) : (
          <Shown shown={shown} />
        )}
      </div>
    </main>
  );
}

const STATUS: Record<Sweep["detail"]["status"], string> = {
  running: "running",
  finished: "finished",
  failed: "failed",
  cancelled: "stopped",
};

function Shown({ shown }: { shown: Sweep }) {
  const { detail } = shown;
  const going = detail.status === "running";
  return (
    <>
      <section class="panel" aria-labelledby="sweep-title">
        <div class="runs-head">
          <h2 id="sweep-title">{detail.title}</h2>
          {going ? (
            <button type="button" onClick={() => void stop(shown)}>
              Stop
            </button>
          ) : (
            detail.status !== "finished" && (
              <button type="button" class="go" onClick={() => void resume(shown)}>
                Go on
              </button>
            )
          )}
          <RemoveButton
            title={detail.title}
            tip="Remove the sweep; the arms that it trained are kept for others"
            onRemove={() => void remove(shown)}
          />
        </div>
        <p class="sweep-progress">
          <progress max={detail.cells} value={shown.done.value} aria-label="Cells that are there" />{" "}
          {formatCount(shown.done.value)} of {formatCount(detail.cells)} cells,{" "}
          {STATUS[detail.status]}
        </p>
        {detail.error !== null && <p class="field-error">{detail.error}</p>}
        <HeatMap shown={shown} />
      </section>
      <Report shown={shown} />
    </>
  );
}

function Sweeps({ current }: { current: string | null }) {
  if (sweeps.value.length === 0) return null;
  return (
    <nav class="panel sweep-list" aria-label="Sweeps">
      <h2>Sweeps</h2>
      <ul>
        {sweeps.value.map((one) => (
          <li key={one.id}>
            <Link
              to={{ path: `sweeps/${one.id}`, search: "" }}
              aria-current={one.id === current ? "page" : undefined}
            >
              {one.title}
            </Link>{" "}
            <small>
              {formatCount(one.cells)} cells, {STATUS[one.status]}
            </small>
          </li>
        ))}
      </ul>
    </nav>
  );
}
