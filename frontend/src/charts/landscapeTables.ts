/** A loss over a plane in numbers: what its picture shows, for those who do not see it. Pure. */

import { formatHeight } from "../format";
import type { Numbers } from "./drawing";
import { evenly } from "./evenly";
import { heightAt, type PlanePoint } from "./landscape";
import type { LandscapeView } from "./plane";

/** Rows and columns of the table, of the many that are drawn. */
const TABLE_POINTS = 11;

/** Where the paths begin and end, and a coarse grid of the heights. */
export function landscapeTables(view: LandscapeView): Numbers[] {
  const { landscape, titles, label } = view;
  const place = ([a, b]: PlanePoint): string => `(${formatHeight(a)}, ${formatHeight(b)})`;
  const ways = (view.paths ?? []).flatMap((path) => {
    const [from, to] = [path.points[0], path.points.at(-1)];
    if (from === undefined || to === undefined) return [];
    const high = [from, to].map((point) => {
      const height = heightAt(landscape, point);
      return height === null ? "outside" : formatHeight(height);
    });
    return [{ name: path.name ?? "", cells: [place(from), place(to), ...high] }];
  });
  const columns = evenly(landscape.x.length, TABLE_POINTS);
  const rows = evenly(landscape.y.length, TABLE_POINTS);
  const grid: Numbers = {
    caption: `${label}; columns: ${titles[0]}, rows: ${titles[1]}`,
    corner: `${titles[1]} \\ ${titles[0]}`,
    columns: columns.map((i) => formatHeight(landscape.x[i] ?? null)),
    rows: rows.toReversed().map((j) => ({
      name: formatHeight(landscape.y[j] ?? null),
      cells: columns.map((i) => formatHeight(landscape.values[j]?.[i] ?? null)),
    })),
  };
  if (ways.length === 0) return [grid];
  return [
    {
      caption: `Paths in (${titles[0]}; ${titles[1]})`,
      corner: "path",
      columns: ["from", "to", `${label} at first`, `${label} at last`],
      rows: ways,
    },
    grid,
  ];
}
