/** What every field has: its sentence on hover and focus, and its errors. */

import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  description: string;
  children: ComponentChildren;
}

/** Wraps a control whose `aria-describedby` names `<id>-tip`. */
export function Described({ id, description, children }: Props) {
  return (
    <div class="field" data-tip={description}>
      {children}
      <span id={`${id}-tip`} class="visually-hidden">
        {description}
      </span>
    </div>
  );
}

export function FieldErrors({ id, messages }: { id: string; messages: readonly string[] }) {
  return (
    <div id={`${id}-error`} class="field-error" aria-live="polite">
      {messages.map((message) => (
        <p key={message}>{message}</p>
      ))}
    </div>
  );
}
