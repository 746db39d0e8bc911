/** The marks of the time slider as buttons that lead there: one stop of Tab, arrows go through them. */

import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { pause, seek } from "../../state/clock";
import { run, styles } from "../../state/signals";
import { type Mark, timeMarks } from "./marks";

/** How far each key goes among the marks. */
const MOVES: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Marks({ percent }: { percent(step: number): string }) {
  const marks = useComputed(() =>
    run.value === null ? [] : timeMarks(run.value).sort((a, b) => a.step - b.step),
  );
  const chosen = useSignal("");
  const bar = useRef<HTMLDivElement>(null);
  const list = marks.value;
  if (list.length === 0) return null;
  const at = Math.max(
    0,
    list.findIndex((mark) => keyOf(mark) === chosen.value),
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // else it would step through the run
    const next = Math.min(list.length - 1, Math.max(0, at + move));
    bar.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div
      class="time-slider-marks"
      role="toolbar"
      aria-label="Spikes and changes"
      ref={bar}
      onKeyDown={onKeyDown}
    >
      {list.map((mark, index) => (
        <button
          key={keyOf(mark)}
          type="button"
          class={`to-mark to-${mark.kind}`}
          style={{ left: percent(mark.step) }}
          tabIndex={index === at ? 0 : -1}
          aria-label={mark.title}
          data-tip={mark.title}
          onFocus={() => {
            chosen.value = keyOf(mark);
          }}
          onClick={() => {
            pause();
            seek(mark.step);
          }}
        >
          <i class={`mark mark-${mark.kind}`} style={{ color: colourOf(mark) }} />
        </button>
      ))}
    </div>
  );
}

function keyOf({ kind, arm, step }: Mark): string {
  return `${kind} ${arm} ${step}`;
}

function colourOf({ kind, arm }: Mark): string | undefined {
  return kind === "change" ? styles.value[arm]?.colour : undefined;
}
