/** Maps of the shortest-path task: what is drawn of them and said about them. Pure. */

import type { Example } from "../../api/types";
import { formatMeasured } from "../../format";
import { isMapItem, type MapItem } from "./items";

/** [row, column] from the top-left. */
export type Tile = [number, number];

export interface CostScale {
  low: number;
  high: number;
  /** Shades follow the logarithm: costs of very different sizes would all look alike. */
  log: boolean;
}

const LOG_FROM = 20;

/** One scale for all arms' costs of a map; null where none is finite. */
export function costScale(items: readonly MapItem[]): CostScale | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    for (const cost of item.costs.flat()) {
      if (cost === null) continue;
      low = Math.min(low, cost);
      high = Math.max(high, cost);
    }
  }
  if (low > high) return null;
  return { low, high, log: low > 0 && high / low > LOG_FROM };
}

/** How dark a cost is, from 0 at the scale's low end to 1 at its high end. */
export function shadeOf(cost: number, { low, high, log }: CostScale): number {
  if (high <= low) return 0;
  const share = log ? Math.log(cost / low) / Math.log(high / low) : (cost - low) / (high - low);
  return Math.min(1, Math.max(0, share));
}

/** A line through the middles of a path's tiles, in units of tiles: SVG `points`. */
export function pointsOf(path: readonly Tile[]): string {
  return path.map(([row, column]) => `${column + 0.5},${row + 0.5}`).join(" ");
}

/**
 * Tiles that an arm's path crosses and the true one does not. None where the path is as cheap: a
 * map can have several cheapest paths, of which the true one is only the labelled.
 */
export function wrongTiles(item: MapItem): Tile[] {
  if (item.optimal || item.predicted_path === null) return [];
  const right = new Set(item.true_path.map(keyOf));
  return item.predicted_path.filter((tile) => !right.has(keyOf(tile)));
}

function keyOf([row, column]: Tile): string {
  return `${row},${column}`;
}

/** Whether an arm's path is a cheapest one, in words. */
export function verdict(item: MapItem): string {
  if (item.predicted_path === null) return "no path: a cost is not a positive finite number";
  if (item.perfect_match) return "optimal: the true path";
  if (item.optimal) return "optimal: another path, as cheap";
  const wrong = wrongTiles(item).length;
  const tiles = `${wrong} wrong ${wrong === 1 ? "tile" : "tiles"}`;
  if (item.cost_ratio === null) return `not optimal: ${tiles}`;
  return `not optimal: ${ratioWords(item.cost_ratio)}, ${tiles}`;
}

function ratioWords(ratio: number): string {
  const more = (ratio - 1) * 100;
  if (more < 100) return `costs ${formatMeasured(more, 2)}\u00a0% more`;
  return `costs ${formatMeasured(ratio, 2)} times as much`;
}

/** What a picture with an arm's path shows, for those who do not see it. */
export function describeRoute(item: MapItem): string {
  const name = `Map ${item.map + 1}, ${item.height} by ${item.width} tiles.`;
  if (item.predicted_path === null) return `${name} ${capital(verdict(item))}.`;
  const right = new Set(item.true_path.map(keyOf));
  const shared = item.predicted_path.filter((tile) => right.has(keyOf(tile))).length;
  return (
    `${name} The arm's path of ${item.predicted_path.length} tiles shares ${shared}` +
    ` of the ${item.true_path.length} tiles of the true path. ${capital(verdict(item))}.`
  );
}

/** What a picture of an arm's costs shows, for those who do not see it. */
export function describeCosts(item: MapItem): string {
  const costs = item.costs.flat();
  const own = costScale([item]);
  const missing = costs.filter((cost) => cost === null).length;
  if (own === null) return "None of the arm's costs is finite.";
  const range = `The arm's costs go from ${formatMeasured(own.low)} to ${formatMeasured(own.high)}`;
  return missing === 0 ? `${range}.` : `${range}; ${missing} are not finite.`;
}

/** How many different paths there are among them. */
export function distinct(paths: readonly (readonly Tile[])[]): number {
  return new Set(paths.map(pointsOf)).size;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The maps among the items. */
export function mapGroups(items: readonly Example[]): number[] {
  return items.filter(isMapItem).map((item) => item.map);
}

/** The item of a map. */
export function mapItem(items: readonly Example[], map: number): MapItem | undefined {
  return items.filter(isMapItem).find((item) => item.map === map);
}
