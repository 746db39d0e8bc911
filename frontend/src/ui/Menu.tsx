/** A button that opens a short list of actions or links below itself. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  /** What the button is called where `label` is an icon alone. */
  name?: string;
  children: ComponentChildren;
}

/** A native disclosure: Enter and space open it; Escape, a choice or a press outside close it. */
export function Menu({ label, name, children }: Props) {
  const details = useRef<HTMLDetailsElement>(null);

  useEffect(() => {
    const close = (event: Event) => {
      const menu = details.current;
      if (menu === null || !menu.open) return;
      const inside = event.target instanceof Node && menu.contains(event.target);
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        menu.querySelector("summary")?.focus();
        menu.open = false;
      } else if (!inside || isChoice(event)) {
        menu.open = false;
      }
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("click", close);
      document.removeEventListener("keydown", close);
    };
  }, []);

  return (
    <details class="menu" ref={details}>
      <summary class="button" aria-label={name}>
        {label}
      </summary>
      <div class="menu-list">{children}</div>
    </details>
  );
}

function isChoice(event: Event): boolean {
  return (
    event.target instanceof Element && event.target.closest(".menu-list :is(a, button)") !== null
  );
}
