/** Removing takes two presses of the same button. */

import { useSignal } from "@preact/signals";
import { Icon } from "./Icon";

interface Props {
  /** What goes. */
  title: string;
  tip: string;
  onRemove: () => void;
}

export function RemoveButton({ title, tip, onRemove }: Props) {
  const sure = useSignal(false);
  return (
    <button
      type="button"
      class={sure.value ? "danger" : "icon-button"}
      aria-label={sure.value ? `Really remove ${title}` : "Remove"}
      data-tip={sure.value ? "" : tip}
      onClick={() => {
        if (sure.value) onRemove();
        sure.value = !sure.value;
      }}
      onBlur={() => {
        sure.value = false;
      }}
    >
      {sure.value ? "Really remove?" : <Icon name="remove" />}
    </button>
  );
}
