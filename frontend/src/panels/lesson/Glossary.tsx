/** What a term means: in a window of its own, with the lesson that shows it; and all of them. */

import { computed, signal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Term } from "../../api/types";
import { place } from "../../state/address/router";
import { Dialog } from "../../ui/Dialog";
import { Link } from "../../ui/Link";
import { glossary, lessonPlace, lessons, loadGlossary, loadLessons } from "./lessons";
import "./list.css";

const chosen = signal("");
const isOpen = signal(false);
const term = computed(() => glossary.value.find(({ name }) => name === chosen.value) ?? null);

/** Opens the explanation of a term. */
export function showTerm(name: string): void {
  chosen.value = name;
  isOpen.value = true;
  void loadGlossary();
  if (lessons.peek() === null) void loadLessons();
}

export function TermDialog() {
  const found = term.value;
  useSignalEffect(() => {
    place.value; // whoever follows its link goes elsewhere
    isOpen.value = false;
  });
  return (
    <Dialog open={isOpen} title={found === null ? chosen.value : headOf(found)}>
      {found !== null && (
        <>
          <p>{found.says}</p>
          <Shown term={found} />
        </>
      )}
    </Dialog>
  );
}

function headOf({ name, symbol }: Term): string {
  return symbol === "" ? name : `${name}, ${symbol}`;
}

/** The lesson that shows it. */
function Shown({ term: { lesson } }: { term: Term }) {
  const info = lessons.value?.find(({ name }) => name === lesson);
  if (info === undefined) return null;
  return (
    <p class="hint">
      Shown in the lesson <Link to={lessonPlace(info.name)}>{info.title}</Link>.
    </p>
  );
}

/** The terms that a metric is a matter of, each to be pressed for what it means. */
export function TermsOf({ metric }: { metric: string }) {
  const terms = glossary.value.filter(({ metrics }) => metrics.includes(metric));
  if (terms.length === 0) return null;
  return (
    <>
      Terms:{" "}
      {terms.map(({ name, says }, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <button
            type="button"
            class="link"
            aria-haspopup="dialog"
            data-tip={says}
            onClick={() => showTerm(name)}
          >
            {name}
          </button>
        </span>
      ))}
      .
    </>
  );
}

/** What the glossary says of a setting; null: nothing. */
export function saysOf(setting: string): string | null {
  return glossary.value.find(({ settings }) => settings.includes(setting))?.says ?? null;
}

export function GlossaryList() {
  useEffect(() => void loadGlossary(), []);
  return (
    <details class="panel glossary">
      <summary>
        Glossary: {glossary.value.length} terms <small>and the lesson that shows each</small>
      </summary>
      <dl>
        {glossary.value.map((one) => (
          <div key={one.name}>
            <dt>{headOf(one)}</dt>
            <dd>
              {one.says}
              <Shown term={one} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
