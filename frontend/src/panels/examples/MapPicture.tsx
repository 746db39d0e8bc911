/** Pictures of a map: its terrain with paths over it, and the costs that an arm gives its tiles. */

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { formatMeasured } from "../../format";
import type { MapItem } from "./items";
import { type CostScale, pointsOf, shadeOf, type Tile, wrongTiles } from "./maps";

interface FrameProps {
  item: MapItem;
  label: string;
  children: ComponentChildren;
}

/** One unit a tile. */
function Frame({ item, label, children }: FrameProps) {
  return (
    <svg
      class="map-picture"
      viewBox={`0 0 ${item.width} ${item.height}`}
      role="img"
      aria-label={label}
    >
      {children}
    </svg>
  );
}

interface TerrainProps {
  item: MapItem;
  label: string;
  /** Of the arm; without it only the true path is drawn. */
  colour?: string | undefined;
  /** Drawn in place of the arm's path. */
  samples?: readonly Tile[][] | null;
  /** Drawn on top, in units of tiles. */
  children?: ComponentChildren;
}

/** The map, the true path as dots, an arm's path as a line, its wrong tiles crossed. */
export function Terrain({ item, label, colour, samples = null, children }: TerrainProps) {
  const { predicted_path: predicted } = item;
  return (
    <Frame item={item} label={label}>
      {item.image === null ? (
        <rect class="map-blank" width={item.width} height={item.height} />
      ) : (
        <image
          href={item.image}
          width={item.width}
          height={item.height}
          preserveAspectRatio="none"
        />
      )}
      {colour !== undefined && samples === null && predicted !== null && (
        <Route path={predicted} colour={colour} />
      )}
      {samples !== null && colour !== undefined && <Samples paths={samples} colour={colour} />}
      {item.true_path.map(([row, column]) => (
        <circle
          key={`${row},${column}`}
          class="map-true"
          cx={column + 0.5}
          cy={row + 0.5}
          r={0.15}
        />
      ))}
      {colour !== undefined && samples === null && <Crosses tiles={wrongTiles(item)} />}
      {children}
    </Frame>
  );
}

function Route({ path, colour }: { path: readonly Tile[]; colour: string }) {
  const points = pointsOf(path);
  return (
    <>
      <polyline class="map-casing" points={points} />
      <polyline class="map-route" points={points} style={{ stroke: colour }} />
    </>
  );
}

/** Faint lines: where many samples agree they add up. */
function Samples({ paths, colour }: { paths: readonly Tile[][]; colour: string }) {
  const opacity = Math.max(0.12, Math.min(0.8, 3 / paths.length));
  return (
    <>
      <rect class="map-veil" width="100%" height="100%" />
      {paths.map((path, index) => (
        <polyline
          key={index}
          class="map-sample"
          points={pointsOf(path)}
          style={{ stroke: colour, strokeOpacity: opacity }}
        />
      ))}
    </>
  );
}

function Crosses({ tiles }: { tiles: readonly Tile[] }) {
  if (tiles.length === 0) return null;
  const d = tiles
    .map(([row, column]) => {
      const [left, top] = [column + 0.24, row + 0.24];
      return `M${left} ${top}l.52 .52m0 -.52l-.52 .52`;
    })
    .join("");
  return (
    <>
      <path class="map-cross-casing" d={d} />
      <path class="map-cross" d={d} />
    </>
  );
}

interface CostsProps {
  item: MapItem;
  label: string;
  scale: CostScale | null;
  /** Of the arm's path. */
  colour?: string;
  children?: ComponentChildren;
}

/** The costs of an arm, dearest darkest (lightest on dark), and the path that they lead to. */
export function Costs({ item, label, scale, colour, children }: CostsProps) {
  const { costs } = item;
  const { low, high, log } = scale ?? { low: 0, high: 0, log: false };
  // Borrowed records keep their costs: while only the cursor moves, the tiles stay.
  const tiles = useMemo(
    () =>
      costs.flatMap((row, i) =>
        row.map((cost, j) => (
          <rect
            key={`${i},${j}`}
            class={cost === null ? "map-cost not-finite" : "map-cost"}
            x={j}
            y={i}
            width={1}
            height={1}
            style={cost === null ? {} : { fillOpacity: shadeOf(cost, { low, high, log }) }}
            data-tip={`row ${i + 1}, column ${j + 1}: ${cost === null ? "not finite" : formatMeasured(cost)}`}
          />
        )),
      ),
    [costs, low, high, log],
  );
  return (
    <Frame item={item} label={label}>
      {tiles}
      {item.predicted_path !== null && colour !== undefined && (
        <Route path={item.predicted_path} colour={colour} />
      )}
      {children}
    </Frame>
  );
}
