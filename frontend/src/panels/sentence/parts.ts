/** Pieces of text that know which arm they name, so that the page can colour them. */

import { armName } from "../../state/arms";
import type { RunLog } from "../../state/log";

/** A piece of the sentence: plain, an arm's name, or a word to mark. */
export interface Part {
  text: string;
  /** Index of the arm that the text names. */
  arm?: number;
  mark?: "strong" | "warn";
}

/** A part of a sentence, without its full stop. */
export type Clause = Part[];

/** The sentence as plain text. */
export function plainText(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join("");
}

export function nameOf(log: RunLog, arm: number): Part {
  return { text: armName(log.spec?.arms, arm), arm };
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly Clause[], last = " and "): Clause {
  return items.flatMap((item, index) => {
    if (index === 0) return item;
    return [{ text: index === items.length - 1 ? last : ", " }, ...item];
  });
}
