/** Test images with the class that an arm sees in them; right and wrong marked. */

import { formatShare } from "../../format";
import { type ClassItem, isClassItem } from "./items";
import { Picture } from "./Picture";
import type { ExamplesProps } from "./props";

export function Classification({ items }: ExamplesProps) {
  return (
    <ol
      class="tiles"
      style={{ "--columns": items.length, "--widest": "84px", "--narrowest": "62px" }}
    >
      {items.filter(isClassItem).map((item) => (
        <li
          key={item.item}
          class={`tile ${item.correct ? "right" : "wrong"}`}
          data-tip={describe(item)}
        >
          <Picture image={item.image} text={String(item.label)} />
          <b>{item.predicted}</b>
          <span class="visually-hidden">{describe(item)}</span>
        </li>
      ))}
    </ol>
  );
}

function describe({ predicted, label, probability, correct }: ClassItem): string {
  const sure = probability === null ? "" : ` (${formatShare(probability)} sure)`;
  return correct ? `${predicted}, right${sure}` : `says ${predicted}${sure}, is ${label}`;
}
