/** The images of a test set in the order that an arm ranks them; right and wrong places marked. */

import type { Example } from "../../api/types";
import { isRankingItem, type RankingItem } from "./items";
import { Picture } from "./Picture";
import type { ExamplesProps } from "./props";

export function Ranking({ items, group }: ExamplesProps) {
  const members = items
    .filter(isRankingItem)
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
          data-tip={describe(item)}
        >
          <Picture image={item.image} text={String(item.value)} />
          <span class="visually-hidden">{describe(item)}</span>
        </li>
      ))}
    </ol>
  );
}

function describe({ value, correct, rank, true_rank: wanted }: RankingItem): string {
  return correct
    ? `${value}: right place`
    : `${value}: belongs at place ${wanted + 1}, not ${rank + 1}`;
}

/** The test sets among the items. */
export function rankingGroups(items: readonly Example[]): number[] {
  return [...new Set(items.filter(isRankingItem).map((item) => item.set))];
}
