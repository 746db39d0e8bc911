/** What is true at this step, in words, in the arms' colours. */

import { computed, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { playing } from "../../state/clock";
import { catalog, expectationOf } from "../../state/draft";
import { seedsDone } from "../../state/seeds";
import { cursor, ghost, run, runSpec, styles, thresholds } from "../../state/signals";
import { announce } from "../../ui/announce";
import { type Part, plainText } from "./parts";
import { sentence } from "./sentence";

/** The primary metric of the task on the page, as far as it is known. */
export const primaryMetric = computed<string | null>(() => {
  const name = runSpec.value?.task.name;
  const entry = catalog.value?.tasks.find((task) => task.name === name);
  return run.value?.summary?.primary_metric ?? entry?.primary_metric ?? null;
});

const parts = computed<Part[]>(() => {
  const log = run.value;
  if (log === null) return [];
  const said = sentence(log, cursor.value, {
    primary: primaryMetric.value ?? undefined,
    before: ghost.value,
    thresholds: thresholds.value,
    expectation: expectationOf(log.spec),
  });
  // Beside charts that show the mean of several seeds.
  const alone = seedsDone.value.length > 0 && said.length > 0 && log.spec !== null;
  return alone ? [{ text: `Seed ${log.spec.seed} alone: ` }, ...said] : said;
});

/** A number and its per cent on one line. */
function together(text: string): string {
  return text.replace(/(\d) %/g, "$1\u00a0%");
}

const SETTLED_MS = 600;

export function SentencePanel() {
  // Said aloud once playback rests: while it runs, no listener could keep up.
  useSignalEffect(() => {
    const text = plainText(parts.value);
    const step = cursor.value;
    if (playing.value || text === "") return;
    const timer = setTimeout(() => announce(`Step ${step}. ${text}`), SETTLED_MS);
    return () => clearTimeout(timer);
  });
  const box = useRef<HTMLParagraphElement>(null);
  const text = plainText(parts.value);
  // Where it does not fit, the keyboard can scroll it.
  useEffect(() => {
    const { current } = box;
    if (current === null || text === "") return;
    if (current.scrollHeight > current.clientHeight) current.tabIndex = 0;
    else current.removeAttribute("tabindex");
  }, [text]);
  if (run.value === null) return null;
  // Of one height, whatever it says: nothing below it moves while the run plays.
  return (
    <p class="sentence" data-panel="What happened" ref={box}>
      {parts.value.length === 0 && "Nothing has been measured yet."}
      {parts.value.map((part, index) => {
        const key = `${index} ${part.text}`;
        if (part.arm !== undefined) {
          const style = styles.value[part.arm];
          return (
            <b key={key} style={{ color: style?.ink }}>
              {part.text}
            </b>
          );
        }
        if (part.mark !== undefined) {
          return (
            <b key={key} class={part.mark}>
              {together(part.text)}
            </b>
          );
        }
        return together(part.text);
      })}
    </p>
  );
}
