/** Opens and closes a panel that is asked for only while it is open. */

import type { Signal } from "@preact/signals";

export function ShowButton({ open }: { open: Signal<boolean> }) {
  return (
    <button
      type="button"
      aria-expanded={open.value}
      onClick={() => {
        open.value = !open.value;
      }}
    >
      {open.value ? "Hide" : "Show"}
    </button>
  );
}
