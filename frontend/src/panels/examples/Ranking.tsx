/** The images of a test set in the order that an arm ranks them; right and wrong places marked. */

import type { ExamplesProps } from "./registry";

interface Item {
  set: number;
  item: number;
  image: string | null;
  value: number;
  rank: number;
  true_rank: number;
  correct: boolean;
}

export function Ranking({ items }: ExamplesProps) {
  const sets = new Map<number, Item[]>();
  for (const item of items as unknown as Item[]) {
    sets.set(item.set, [...(sets.get(item.set) ?? []), item]);
  }
  return (
    <>
      {[...sets].map(([set, members]) => (
        <ol class="ranking" key={set} aria-label={`Set ${set + 1}`}>
          {members
            .toSorted((a, b) => a.rank - b.rank)
            .map((item) => (
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
      ))}
    </>
  );
}

/** A test image; its value in words stands in where there is none. */
export function Picture({ image, text }: { image: string | null; text: string }) {
  if (image === null) return <span class="tile-text">{text}</span>;
  return <img src={image} alt={text} draggable={false} />;
}
