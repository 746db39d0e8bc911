/** Play, step and scrub through descents: a bar of their own, as descents have steps of their own. */

import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { Icon } from "../../ui/Icon";

/** Milliseconds a step. */
const PACE_MS = 110;

export function StepBar({ step, steps }: { step: Signal<number>; steps: number }) {
  const playing = useSignal(false);
  useSignalEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(() => {
      if (step.value < steps) step.value += 1;
      else playing.value = false;
    }, PACE_MS);
    return () => clearInterval(timer);
  });
  const move = (by: number): void => {
    playing.value = false;
    step.value = Math.max(0, Math.min(steps, step.value + by));
  };
  return (
    <section class="panel step-bar" aria-label="Playback">
      <button
        type="button"
        class="go"
        onClick={() => {
          if (!playing.value && step.value >= steps) step.value = 0;
          playing.value = !playing.value;
        }}
      >
        <Icon name={playing.value ? "pause" : "play"} size={16} />
        {playing.value ? "Pause" : "Play"}
      </button>
      <button type="button" aria-label="Back 1" onClick={() => move(-1)}>
        <Icon name="minus" size={16} />
      </button>
      <button type="button" aria-label="Forward 1" onClick={() => move(1)}>
        <Icon name="plus" size={16} />
      </button>
      <input
        type="range"
        aria-label="Step"
        min={0}
        max={steps}
        value={step.value}
        style={{ "--filled": `${(100 * step.value) / steps}%` }}
        onInput={(event) => {
          playing.value = false;
          step.value = Number(event.currentTarget.value);
        }}
      />
      <span class="step-bar-count">
        step {step.value} of {steps}
      </span>
    </section>
  );
}
