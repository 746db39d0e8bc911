/** Fields whose text cannot be used keep a run from starting: it would use the value before. */

import { useEffect } from "preact/hooks";
import { noteUnusable } from "../../state/draft";

/** `words`: what is wrong with the field called `id`; null: nothing. */
export function useUnusable(id: string, words: string | null): void {
  useEffect(() => {
    noteUnusable(id, words);
    return () => noteUnusable(id, null);
  }, [id, words]);
}
