/** Labels at the ends of curves, moved apart where they would cover each other. */

/**
 * Moves the middles of labels from the positions `wanted` (in any unit and order) so that two
 * neighbours are at least half of both their `sizes` apart and all lie inside `[low, high]`. Labels
 * that would collide form a group, which is spread around the mean of the positions that they wanted.
 */
export function spread(
  wanted: readonly number[],
  sizes: readonly number[],
  low: number,
  high: number,
): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => at(wanted, a) - at(wanted, b));
  const offsets = offsetsOf(order.map((index) => at(sizes, index)));
  const room = Math.max(0, high - low);
  const length = offsets.at(-1) ?? 0;
  const squeeze = length > room ? room / length : 1;
  // Less the offsets, positions need only not fall.
  const free = order.map((index, place) => at(wanted, index) - squeeze * at(offsets, place));
  const most = Math.max(low, high - squeeze * length);
  const placed = wanted.slice();
  pooled(free).forEach((start, place) => {
    const kept = Math.min(Math.max(start, low), most);
    placed[at(order, place)] = kept + squeeze * at(offsets, place);
  });
  return placed;
}

/** How far each middle is below the first one where all labels touch. */
function offsetsOf(sizes: readonly number[]): number[] {
  let below = 0;
  return sizes.map((size, index) => {
    if (index > 0) below += (at(sizes, index - 1) + size) / 2;
    return below;
  });
}

/** The nearest values that never fall: where they would, the mean of those that do. */
function pooled(values: readonly number[]): number[] {
  const groups: { total: number; count: number }[] = [];
  for (const value of values) {
    let group = { total: value, count: 1 };
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      if (last.total / last.count <= group.total / group.count) break;
      groups.pop();
      group = { total: last.total + group.total, count: last.count + group.count };
    }
    groups.push(group);
  }
  return groups.flatMap(({ total, count }) => Array<number>(count).fill(total / count));
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
