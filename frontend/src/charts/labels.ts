/** Labels at the ends of curves, moved apart where they would cover each other. */

/**
 * Moves labels from the positions `wanted` (in any unit and order) so that neighbours are at least
 * `gap` apart and all lie inside `[low, high]`. Labels that would collide form a group, which is
 * spread around the mean of the positions that they wanted.
 */
export function spread(
  wanted: readonly number[],
  gap: number,
  low: number,
  high: number,
): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => at(wanted, a) - at(wanted, b));
  interface Group {
    members: number[];
    /** Sum over members of (wanted - offset within the group): its mean is where the group starts. */
    total: number;
  }
  const room = Math.max(0, high - low);
  const step = wanted.length > 1 ? Math.min(gap, room / (wanted.length - 1)) : gap;
  const start = (group: Group): number => {
    const length = (group.members.length - 1) * step;
    const mean = group.total / group.members.length;
    return Math.min(Math.max(mean, low), Math.max(low, high - length));
  };
  const groups: Group[] = [];
  for (const index of order) {
    let group: Group = { members: [index], total: at(wanted, index) };
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      const length = last.members.length * step;
      if (start(last) + length <= start(group) + 1e-9) break;
      groups.pop();
      group = {
        members: [...last.members, ...group.members],
        total: last.total + group.total - group.members.length * length,
      };
    }
    groups.push(group);
  }
  const placed = wanted.slice();
  for (const group of groups) {
    group.members.forEach((index, place) => {
      placed[index] = start(group) + place * step;
    });
  }
  return placed;
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
