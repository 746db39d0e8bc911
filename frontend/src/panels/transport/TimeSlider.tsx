/** The time slider: where playback is, how far the run has computed, and what happened when. */

import { formatCount } from "../../format";
import { pause, seek } from "../../state/clock";
import { cursor, run } from "../../state/signals";
import { Marks } from "./Marks";

export function TimeSlider() {
  const log = run.value;
  const steps = log?.spec?.steps ?? 1;
  const head = log?.head ?? 0;
  const at = cursor.value;
  const percent = (step: number) => `${(100 * Math.min(step, steps)) / steps}%`;
  return (
    <div class="time-slider" style={{ "--seen": percent(at), "--computed": percent(head) }}>
      <div class="time-slider-line" aria-hidden="true">
        <i class="time-slider-computed" />
        <i class="time-slider-seen" />
      </div>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`step ${formatCount(at)} of ${formatCount(steps)}, computed to ${formatCount(head)}`}
        min={0}
        max={steps}
        step={1}
        value={at}
        disabled={log === null}
        onPointerDown={pause}
        onInput={(event) => {
          pause();
          seek(Number(event.currentTarget.value));
          // The browser moved the thumb past what is computed: put it back.
          event.currentTarget.value = String(cursor.peek());
        }}
      />
      <Marks percent={percent} />
    </div>
  );
}
