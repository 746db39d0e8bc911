/** The grid of a sweep as a map: each cell shaded by its mean, or by what its interval shows. */

import { type Signal, useSignal } from "@preact/signals";
import type { SweptRecord } from "../../api/sweeps";
import { Choice } from "../../ui/Choice";
import { type Layout, layoutOf, type Standing, scalarWords, standingOf } from "./grid";
import type { Sweep } from "./sweep";
import { difference, number, settingsWords } from "./words";

type Layer = "mean" | "significance";

/** More columns than this leave no room for numbers. */
const MOST_NUMBERS = 10;
const KEYS: Record<string, readonly [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

export function HeatMap({ shown }: { shown: Sweep }) {
  const layer = useSignal<Layer>("mean");
  const places = useSignal<readonly number[]>([]);
  const chosen = useSignal<readonly [number, number] | null>(null);
  const layout = layoutOf(shown.detail.grid);
  if (layout === null) return null;
  const { across, down, held } = layout;
  const rows = down?.values ?? [""];
  const [pale, dark] = shown.shades.value ?? [0, 1];
  const numbers = across.values.length <= MOST_NUMBERS;
  const move = (event: KeyboardEvent) => {
    const step = KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const [row, column] = chosen.value ?? [-step[0], -step[1]];
    const within = (at: number, count: number) => Math.max(0, Math.min(count - 1, at));
    chosen.value = [
      within(row + step[0], rows.length),
      within(column + step[1], across.values.length),
    ];
  };
  const point = ({ target }: Event) => {
    const [row, column] = (target as HTMLElement).dataset.at?.split(" ").map(Number) ?? [];
    if (row !== undefined && column !== undefined) chosen.value = [row, column];
  };
  return (
    <>
      <div class="sweep-tools">
        <Choice
          label="Show"
          value={layer.value}
          options={[
            ["mean", "the mean over tuning seeds"],
            ["significance", `the difference to ${shown.detail.arms[0] ?? "the first arm"}`],
          ]}
          onChange={(value) => {
            layer.value = value;
          }}
        />
        {held.map((axis, i) => (
          <Choice
            key={axis.path}
            label={axis.path}
            value={String(places.value[i] ?? 0)}
            options={axis.values.map(
              (value, place) => [String(place), scalarWords(value)] as const,
            )}
            onChange={(value) => {
              places.value = held.map((_, k) => (k === i ? Number(value) : (places.value[k] ?? 0)));
            }}
          />
        ))}
      </div>
      {/* The map scrolls where it is wider than the page, and is walked through by the arrows. */}
      <section
        class="sweep-map"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows walk through its cells
        tabIndex={0}
        aria-label="Map of the grid; the arrow keys walk through it"
        onKeyDown={move}
        onPointerOver={point}
        style={{ "--pale": pale, "--span": dark - pale }}
      >
        <table class={`${layer.value} ${numbers ? "" : "dense"}`}>
          <thead>
            <tr>
              <td class="sweep-corner">{down?.path ?? ""}</td>
              <th class="sweep-across" scope="colgroup" colSpan={across.values.length}>
                {across.path}
              </th>
            </tr>
            <tr>
              <td />
              {across.values.map((value) => (
                <th key={scalarWords(value)} scope="col">
                  <span>{scalarWords(value)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((value, row) => (
              <tr key={scalarWords(value)}>
                <th scope="row">{scalarWords(value)}</th>
                {across.values.map((other, column) => {
                  const cell = shown.cells[layout.indexAt(row, column, places.value)];
                  return (
                    cell && (
                      <Cell
                        key={`${layout.indexAt(row, column, places.value)} ${scalarWords(other)}`}
                        cell={cell}
                        shown={shown}
                        numbers={numbers}
                        place={[row, column]}
                      />
                    )
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {layer.value === "mean" ? <MeanKey shown={shown} /> : <StandingKey />}
      <Chosen shown={shown} layout={layout} places={places.value} chosen={chosen} />
    </>
  );
}

interface CellProps {
  cell: Signal<SweptRecord | null>;
  shown: Sweep;
  numbers: boolean;
  place: readonly [number, number];
}

/** One cell: it draws itself when its own numbers come. The shades are the style sheet's. */
function Cell({ cell, shown, numbers, place }: CellProps) {
  const record = cell.value;
  const { metric } = shown.detail;
  const at = place.join(" ");
  if (record === null) return <td class="pending" data-at={at} />;
  const standing = standingOf(record, metric.better) ?? "unknown";
  const kind = record.error !== null ? "failed" : record.mean === null ? "unknown" : "known";
  return (
    <td
      class={`${kind} is-${standing}`}
      style={record.mean === null ? {} : { "--mean": record.mean }}
      data-at={at}
    >
      {kind === "failed" ? "×" : numbers && number(metric, record.mean)}
    </td>
  );
}

function MeanKey({ shown }: { shown: Sweep }) {
  const shades = shown.shades.value;
  if (shades === null) return null;
  const { metric } = shown.detail;
  return (
    <p class="sweep-key hint">
      <span>{number(metric, shades[0])} or worse</span>
      <span class="sweep-ramp" />
      <span>{number(metric, shades[1])}</span>
      <span>{metric.title}, the stronger, the better</span>
    </p>
  );
}

const STANDINGS: Record<Standing, string> = {
  better: "better: its 95 % interval leaves out zero",
  worse: "worse",
  open: "the seeds cannot tell",
};

function StandingKey() {
  return (
    <p class="sweep-key hint">
      {Object.entries(STANDINGS).map(([standing, words]) => (
        <span key={standing}>
          <i class={`sweep-swatch is-${standing}`} /> {words}
        </span>
      ))}
      <span>One cell in twenty looks different by chance: the report below is the test.</span>
    </p>
  );
}

interface ChosenProps {
  shown: Sweep;
  layout: Layout;
  places: readonly number[];
  chosen: Signal<readonly [number, number] | null>;
}

/** What the cell under the pointer says. */
function Chosen({ shown, layout, places, chosen }: ChosenProps) {
  const at = chosen.value;
  const index = at === null ? null : layout.indexAt(at[0], at[1], places);
  const record = index === null ? null : (shown.cells[index]?.value ?? null);
  const { metric, arms, grid } = shown.detail;
  const words = () => {
    if (at === null) return "Point at a cell, or walk through the map with the arrow keys.";
    if (record === null) return "This cell has not been computed yet.";
    if (record.error !== null) return `${settingsWords(record.settings, grid)}: ${record.error}`;
    const means = record.arms.map((arm) => {
      const lost = arm.diverged > 0 ? `, diverged in ${arm.diverged} of ${arm.values.length}` : "";
      const by = arm.difference && ` (${difference(metric, arm.difference)} to ${arms[0]})`;
      return `${arm.label} ${number(metric, arm.mean)}${by ?? ""}${lost}`;
    });
    return `${settingsWords(record.settings, grid)}: ${means.join("; ")}.`;
  };
  return (
    <p class="sweep-chosen" aria-live="polite">
      {words()}
    </p>
  );
}
