/** At most `limit` of `count` indices, evenly spaced, the first and the last among them. */
export function evenly(count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: limit }, (_, k) => Math.round((k * (count - 1)) / (limit - 1)));
}

/** At most `limit` records, evenly spaced, with the first and the last. */
export function thin<T>(records: readonly T[], limit: number): T[] {
  return evenly(records.length, limit).map((index) => records[index] as T);
}
