/** Lists in groups, in the order in which the groups first appear. */

export interface Group<T> {
  name: string;
  items: T[];
}

export function inGroups<T>(items: readonly T[], nameOf: (item: T) => string): Group<T>[] {
  const groups = new Map<string, Group<T>>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name) ?? { name, items: [] };
    group.items.push(item);
    groups.set(name, group);
  }
  return [...groups.values()];
}
