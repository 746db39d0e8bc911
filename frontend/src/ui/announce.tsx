/** What screen readers are told without moving the focus. */

import { signal } from "@preact/signals";

const message = signal("");

/** Says `text` politely; the same text again is not said twice. */
export function announce(text: string): void {
  message.value = text;
}

export function Announcer() {
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {message.value}
    </div>
  );
}
