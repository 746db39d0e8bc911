/** A button that takes two presses, for what cannot be undone. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Props {
  children: ComponentChildren;
  /** What it says before the second press. */
  sure: string;
  onSure: () => void;
  disabled?: boolean;
  class?: string;
  tip?: string;
  /** Names, where what is shown does not say it: before the first press and before the second. */
  names?: readonly [string, string];
}

export function SureButton({ children, sure, onSure, tip = "", names, ...rest }: Props) {
  const asked = useSignal(false);
  return (
    <button
      type="button"
      class={asked.value ? "danger" : rest.class}
      aria-label={names?.[asked.value ? 1 : 0]}
      data-tip={asked.value ? "" : tip}
      disabled={rest.disabled}
      onClick={() => {
        if (asked.value) onSure();
        asked.value = !asked.value;
      }}
      onBlur={() => {
        asked.value = false;
      }}
    >
      {asked.value ? sure : children}
    </button>
  );
}
