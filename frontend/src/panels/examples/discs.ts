/** Discs that arms see in pictures: what is said about them. Pure. */

import type { Example } from "../../api/types";
import { formatMeasured } from "../../format";
import { type DiscsItem, isDiscsItem } from "./items";

export function discsOf(items: readonly Example[]): DiscsItem[] {
  return items.filter(isDiscsItem);
}

/** How the arm does on the shown pictures, in few words. */
export function tallyDiscs(items: readonly DiscsItem[]): string {
  return `${items.filter((item) => item.found).length} of ${items.length} found`;
}

/** What a picture shows, for those who do not see it. */
export function describeDiscs(item: DiscsItem, label: string): string {
  const who = `${label}, picture ${item.item + 1}`;
  if (item.error === null || item.drawn === null) return `${who}: not finite`;
  const vanished = item.drawn.filter(([, , radius]) => radius <= 0).length;
  const lost =
    vanished === 0 ? "" : `, ${vanished === 1 ? "one disc" : `${vanished} discs`} vanished`;
  return `${who}: ${formatMeasured(item.error)} away from the true discs${lost}`;
}
