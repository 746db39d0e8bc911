/** The images of a test set in the order that an arm ranks them; right and wrong places marked. */

import { Picture } from "./Picture";
import type { ExamplesProps } from "./props";

interface Item {
  set: number;
  item: number;
  image: string | null;
  value: number;
  rank: number;
  true_rank: number;
  correct: boolean;
}

export function Ranking({ items, group }: ExamplesProps) {
  const members = (items as unknown as Item[])
    .filter((item) => item.set === group)
    .sort((a, b) => a.rank - b.rank);
  return (
    <ol
      class="tiles"
      style={{ "--columns": members.length, "--widest": "132px", "--narrowest": "86px" }}
    >
      {members.map((item) => (
        <li
          key={item.item}
          class={`tile ${item.correct ? "right" : "wrong"}`}
          title={
            item.correct
              ? `${item.value}: right place`
              : `${item.value}: belongs at place ${item.true_rank + 1}, not ${item.rank + 1}`
          }
        >
          <Picture image={item.image} text={String(item.value)} />
          <span class="visually-hidden">{item.correct ? "right" : "wrong"}</span>
        </li>
      ))}
    </ol>
  );
}

/** The test sets among the items. */
export function rankingGroups(items: readonly Record<string, unknown>[]): number[] {
  return [...new Set((items as unknown as Item[]).map((item) => item.set))];
}
