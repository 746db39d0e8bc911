/** One time: the bar that everything on the page obeys. */

import { useSignal } from "@preact/signals";
import { playing, speed, stepBy, toggle, toHead } from "../../state/clock";
import { draft, isEdited, unusable } from "../../state/draft";
import { framed } from "../../state/frame";
import { SPEEDS, speedLabel } from "../../state/playback";
import { newSeed, reset } from "../../state/restart";
import { offers } from "../../state/scene";
import { leaveSeeds, SEEDS, showsSeeds, trainSeeds } from "../../state/seeds";
import { isGoing, isOthers, isStarting, start, stop } from "../../state/session";
import { canTrain, hasRun } from "../../state/signals";
import { Icon } from "../../ui/Icon";
import { Progress } from "./Progress";
import { TimeSlider } from "./TimeSlider";

const STEP_SIZES = [1, 10, 100];

/** What the big button does: train what is in the controls, or play what is on the page. */
export function mainAction(): void {
  if (!hasRun.peek() || isEdited.peek() || unusable.peek().size > 0) {
    if (canTrain.peek()) void start();
  } else {
    toggle();
  }
}

export function Transport() {
  const size = useSignal(1);
  const busy = isStarting.value;
  const isOther = isEdited.value || unusable.value.size > 0;
  const trains = canTrain.value && (!hasRun.value || isOther);
  const isPlaying = playing.value && !trains;
  return (
    <section class="transport panel" aria-label="Playback">
      <div class="transport-row">
        <button
          type="button"
          class="go"
          aria-keyshortcuts="Space"
          disabled={busy || (trains && draft.value === null)}
          onClick={mainAction}
          data-tip={trains ? "Train all arms side by side from the same weights" : "Space"}
        >
          <Icon name={isPlaying ? "pause" : "play"} size={16} />
          {busy ? "Starting…" : isPlaying ? "Pause" : hasRun.value && trains ? "Train" : "Play"}
        </button>
        <fieldset class="joined" aria-label="Step">
          <button
            type="button"
            aria-label={`Back ${size.value}`}
            data-tip="Step back (left arrow)"
            disabled={!hasRun.value}
            onClick={() => stepBy(-size.value)}
          >
            <Icon name="minus" size={16} />
          </button>
          <select
            aria-label="Steps at a time"
            value={String(size.value)}
            onChange={(event) => {
              size.value = Number(event.currentTarget.value);
            }}
          >
            {STEP_SIZES.map((steps) => (
              <option key={steps} value={String(steps)}>
                {steps}
              </option>
            ))}
          </select>
          <button
            type="button"
            aria-label={`Forward ${size.value}`}
            aria-keyshortcuts="."
            data-tip="Step on (full stop, or right arrow)"
            disabled={!hasRun.value}
            onClick={() => stepBy(size.value)}
          >
            <Icon name="plus" size={16} />
          </button>
        </fieldset>
        <select
          aria-label="Speed, in steps a second"
          data-tip="Playback speed in steps a second; the run itself always computes at full speed"
          value={String(speed.value)}
          onChange={(event) => {
            speed.value = Number(event.currentTarget.value);
          }}
        >
          {speedOptions().map((value) => (
            <option key={value} value={String(value)}>
              {speedLabel(value)}
            </option>
          ))}
        </select>
        <button
          type="button"
          class="icon-button"
          aria-label="To the newest step"
          aria-keyshortcuts="l"
          data-tip="To the newest step (l)"
          disabled={!hasRun.value}
          onClick={toHead}
        >
          <Icon name="head" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Reset: step 0, same initial weights"
          data-tip="Reset: back to step 0, same initial weights and batches, without what-ifs"
          disabled={!hasRun.value}
          onClick={() => void reset()}
        >
          <Icon name="reset" />
        </button>
        {isGoing.value && !isOthers.value && (
          <button
            type="button"
            class="icon-button"
            aria-label="Stop the run"
            data-tip="Stop computing: what the run has computed stays"
            onClick={() => void stop()}
          >
            <Icon name="stop" />
          </button>
        )}
        {canTrain.value && !framed.value && offers("seed") && (
          <button
            type="button"
            class="icon-button"
            aria-label="New seed: other weights and batches"
            data-tip="New seed: train again from other initial weights, on other batches"
            disabled={draft.value === null || busy}
            onClick={() => void newSeed()}
          >
            <Icon name="seed" />
          </button>
        )}
        {canTrain.value && !framed.value && hasRun.value && (
          <button
            type="button"
            class="seeds-button"
            aria-pressed={showsSeeds.value}
            data-tip={
              showsSeeds.value
                ? "Back to this one seed; the other runs stay in the list of runs"
                : `Train ${SEEDS - 1} more seeds of this run, and show the mean of all ${SEEDS}`
            }
            onClick={() => (showsSeeds.peek() ? leaveSeeds() : void trainSeeds())}
          >
            {SEEDS} seeds
          </button>
        )}
        <Progress />
      </div>
      <TimeSlider />
    </section>
  );
}

/** A speed from a link that the list lacks is offered too. */
function speedOptions(): number[] {
  const known: number[] = [...SPEEDS];
  if (!known.includes(speed.value)) known.unshift(speed.value);
  return known;
}
