/** The time slider: where playback is, how far the run has computed, and what happened when. */

import { formatCount } from "../../format";
import { pause, seek } from "../../state/clock";
import { cursor, run, styles } from "../../state/signals";
import { timeMarks } from "./marks";

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
      {log !== null && (
        <div class="time-slider-marks" aria-hidden="true">
          {timeMarks(log).map((mark) => (
            <span
              key={`${mark.kind} ${mark.step}`}
              class={`mark mark-${mark.kind}`}
              style={{ left: percent(mark.step), color: markColour(mark.kind, mark.arm) }}
              title={mark.title}
            />
          ))}
        </div>
      )}
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
    </div>
  );
}

function markColour(kind: string, arm: number): string | undefined {
  return kind === "change" ? styles.value[arm]?.colour : undefined;
}
