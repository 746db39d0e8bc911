/** Controls that are out of sight until they are asked for, or until one of them is wrong. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { hasProblemWithin } from "../../state/draft";
import type { Path } from "../../state/schema";
import { Icon } from "../../ui/Icon";

interface Props {
  label: string;
  /** Paths of what is inside: an error there opens the fold. */
  holds: readonly Path[];
  children: ComponentChildren;
}

export function Fold({ label, holds, children }: Props) {
  const open = useSignal(false);
  useSignalEffect(() => {
    if (holds.some(hasProblemWithin)) open.value = true;
  });
  return (
    <div class="fold">
      <button
        type="button"
        class="fold-button"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name="open" size={14} />
        {label}
      </button>
      {open.value && <div class="fold-body">{children}</div>}
    </div>
  );
}
