/** Which two outputs the picture's axes are: tiles of the sample's map, or numbers in a list. */

import type { Signal } from "@preact/signals";
import type { OutputLandscape } from "../../api/landscapes";
import type { MapItem } from "../examples/items";
import { Costs, Terrain } from "../examples/MapPicture";
import { costScale } from "../examples/maps";
import "../examples/maps.css";
import { Choice } from "../../ui/Choice";
import { outputName } from "./outputs";

interface Props {
  /** The latest answer: it knows the sample. */
  found: OutputLandscape;
  /** The outputs along the first and the second axis. */
  chosen: readonly [number, number];
  onChoose(chosen: [number, number]): void;
}

const NAMES = ["across", "up"] as const;

/** Two different outputs; choosing the other axis's swaps them. */
function withOutput(
  chosen: readonly [number, number],
  axis: number,
  output: number,
): [number, number] {
  const other = chosen[1 - axis] as number;
  const free = other === output ? (chosen[axis] as number) : other;
  return axis === 0 ? [output, free] : [free, output];
}

/** Lists for every output, by row and column where they are tiles. */
export function OutputChoices({ found, chosen, onChoose }: Props) {
  const [rows = 1, columns] = found.shape;
  const numbers = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, index) => [`${index}`, `${index + 1}`]);
  return (
    <>
      {NAMES.map((name, axis) => {
        const output = chosen[axis] as number;
        const choose = (value: number) => onChoose(withOutput(chosen, axis, value));
        if (columns === undefined) {
          return (
            <Choice
              key={name}
              label={name}
              value={`${output}`}
              options={found.outputs.map((_, index) => [`${index}`, outputName(found, index)])}
              onChange={(value) => choose(Number(value))}
            />
          );
        }
        const [row, column] = [Math.floor(output / columns), output % columns];
        return (
          <span key={name} class="outputs-tile">
            <Choice
              label={`${name}: row`}
              value={`${row}`}
              options={numbers(rows)}
              onChange={(value) => choose(Number(value) * columns + column)}
            />
            <Choice
              label="column"
              value={`${column}`}
              options={numbers(columns)}
              onChange={(value) => choose(row * columns + Number(value))}
            />
          </span>
        );
      })}
    </>
  );
}

interface MapProps extends Props {
  /** Which axis the next press sets. */
  turn: Signal<0 | 1>;
}

/** The sample's map; a press sets the tile of one axis, then of the other. */
export function TileMap({ found, chosen, onChoose, turn }: MapProps) {
  const [rows = 1, columns = 1] = found.shape;
  const axis = turn.value;
  const item: MapItem = {
    map: 0,
    image: found.sample.image ?? null,
    height: rows,
    width: columns,
    true_path: found.sample.true_path ?? [],
    predicted_path: null,
    costs: Array.from({ length: rows }, (_, row) =>
      found.outputs.slice(row * columns, (row + 1) * columns),
    ),
    optimal: false,
    perfect_match: false,
    cost_ratio: null,
  };
  const label =
    `${NAMES[0]}: ${outputName(found, chosen[0])}; ` +
    `${NAMES[1]}: ${outputName(found, chosen[1])}`;
  const marks = chosen.map((output, index) => (
    <Mark
      key={NAMES[index]}
      row={Math.floor(output / columns)}
      column={output % columns}
      sign={index === 0 ? "↔" : "↕"}
    />
  ));
  const set = (row: number, column: number): void => {
    const inside = row >= 0 && row < rows && column >= 0 && column < columns;
    if (inside) onChoose(withOutput(chosen, axis, row * columns + column));
  };
  return (
    <figure class="map-figure outputs-map">
      <button
        type="button"
        class="map-button"
        aria-label={`Map of the sample. ${label}. A press sets the tile of ${NAMES[axis]}; arrow keys move it, Enter turns to the other`}
        onClick={(event) => {
          // A press by the keyboard has no place.
          if (event.detail > 0) {
            const box = event.currentTarget.getBoundingClientRect();
            set(
              Math.floor(((event.clientY - box.top) / box.height) * rows),
              Math.floor(((event.clientX - box.left) / box.width) * columns),
            );
          }
          turn.value = axis === 0 ? 1 : 0;
        }}
        onKeyDown={(event) => {
          const move = MOVES[event.key];
          if (move === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          const output = chosen[axis] as number;
          set(Math.floor(output / columns) + move[0], (output % columns) + move[1]);
        }}
      >
        {item.image === null ? (
          <Costs item={item} label="Mean costs of the batch" scale={costScale([item])}>
            {marks}
          </Costs>
        ) : (
          <Terrain item={item} label="The sample's map with its cheapest path">
            {marks}
          </Terrain>
        )}
      </button>
      <figcaption>
        {item.image === null ? "mean costs of the batch" : "the sample, its true path"}; press a
        tile for <strong>{NAMES[axis]}</strong>
      </figcaption>
    </figure>
  );
}

const MOVES: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function Mark({ row, column, sign }: { row: number; column: number; sign: string }) {
  return (
    <g transform={`translate(${column} ${row})`}>
      <rect class="outputs-mark-casing" x={0.05} y={0.05} width={0.9} height={0.9} />
      <rect class="outputs-mark" x={0.05} y={0.05} width={0.9} height={0.9} />
      <text class="outputs-sign" x={0.5} y={0.5}>
        {sign}
      </text>
    </g>
  );
}
