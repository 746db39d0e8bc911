/** What the keyboard does: one list, which the help reads too. */

import { stepBy, toHead } from "./clock";
import { hasRun, presenting } from "./signals";

export interface Shortcut {
  /** Values of `KeyboardEvent.key`. */
  keys: readonly string[];
  shown: string;
  does: string;
  act(event: KeyboardEvent): void;
}

/** `main`: what space does; `help`: opens the help. */
export function shortcuts(main: () => void, help: () => void): Shortcut[] {
  const step = (direction: 1 | -1) => (event: KeyboardEvent) => {
    if (hasRun.peek()) stepBy(direction * (event.shiftKey ? 10 : 1));
  };
  return [
    { keys: [" "], shown: "space", does: "play or pause; train, where there is no run", act: main },
    { keys: ["."], shown: ".", does: "one step on", act: step(1) },
    { keys: ["ArrowRight"], shown: "→", does: "one step on; with shift, ten", act: step(1) },
    { keys: ["ArrowLeft"], shown: "←", does: "one step back; with shift, ten", act: step(-1) },
    {
      keys: ["PageUp", "PageDown"],
      shown: "page up, page down",
      does: "a hundred steps back or on, on the time slider",
      act: (event) => {
        if (hasRun.peek()) stepBy(event.key === "PageUp" ? -100 : 100);
      },
    },
    { keys: ["l"], shown: "l", does: "to the newest step", act: toHead },
    {
      keys: ["Escape"],
      shown: "escape",
      does: "leave the presentation",
      act: () => {
        presenting.value = false;
      },
    },
    { keys: ["?"], shown: "?", does: "this help", act: help },
  ];
}

/** Whether the focused element has a use of its own for a key. */
function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("dialog") !== null) return true;
  const paging = key === "PageUp" || key === "PageDown";
  const button = target.closest("button, a, summary, [role=button]");
  if (key === " " && button !== null) return true;
  if (target.closest(".time-slider") !== null) return false; // the time slider obeys the same keys
  if (paging) return true; // elsewhere these scroll
  const tag = target.tagName;
  if (tag === "INPUT" && (target as HTMLInputElement).type === "range")
    return key.startsWith("Arrow");
  return tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT";
}

/** Listens on the whole page; returns how to stop. */
export function startKeys(list: readonly Shortcut[]): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target, event.key)) return;
    const shortcut = list.find((candidate) => candidate.keys.includes(event.key));
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.act(event);
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
