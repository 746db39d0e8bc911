/** A curve to draw: drag across, or move each point with the arrow keys. */

import { useRef } from "preact/hooks";
import type { Schemas } from "../../api/types";
import { formatMeasured } from "../../format";
import { KNOTS } from "./judge";

const WIDTH = 320;
const HEIGHT = 150;
const EDGE = 10;

interface Props {
  question: Schemas["CurveQuestion"];
  /** Of the drawn curve at the knots. */
  heights: readonly number[];
  /** What the run did; null: not shown. */
  truth: readonly (number | null)[] | null;
  /** Left out: the drawing is fixed. */
  onDraw?(heights: number[]): void;
}

export function CurvePad({ question, heights, truth, onDraw }: Props) {
  const pad = useRef<SVGSVGElement>(null);
  const { low, high } = question;
  const x = (knot: number) => EDGE + (knot / (KNOTS - 1)) * (WIDTH - 2 * EDGE);
  const y = (value: number) => HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE);
  const set = (knot: number, value: number) => {
    const next = [...heights];
    next[knot] = Math.max(low, Math.min(high, value));
    onDraw?.(next);
  };
  const drag = (event: PointerEvent) => {
    const box = pad.current?.getBoundingClientRect();
    if (box === undefined || event.buttons === 0 || onDraw === undefined) return;
    const across = ((event.clientX - box.left) / box.width) * WIDTH;
    const up = HEIGHT - ((event.clientY - box.top) / box.height) * HEIGHT;
    const knot = Math.round(((across - EDGE) / (WIDTH - 2 * EDGE)) * (KNOTS - 1));
    if (knot < 0 || knot >= KNOTS) return;
    set(knot, low + ((up - EDGE) / (HEIGHT - 2 * EDGE)) * (high - low));
  };
  const press = (event: KeyboardEvent, knot: number) => {
    const by = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(knot, (heights[knot] ?? low) + (by * (high - low)) / 20);
  };
  const line = (values: readonly (number | null)[]) =>
    values.flatMap((value, knot) => (value === null ? [] : [`${x(knot)},${y(value)}`])).join(" ");
  return (
    <fieldset
      class="curve-pad"
      aria-label={`Curve of ${question.arm} from the first step to the last`}
    >
      <svg
        ref={pad}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="presentation"
        onPointerDown={drag}
        onPointerMove={drag}
      >
        <rect x="0" y="0" width={WIDTH} height={HEIGHT} rx="6" />
        <polyline class="curve-drawn" points={line(heights)} />
        {truth !== null && <polyline class="curve-true" points={line(truth)} />}
        {onDraw !== undefined &&
          heights.map((value, knot) => (
            <circle
              key={knot}
              cx={x(knot)}
              cy={y(value)}
              r="5"
              tabIndex={0}
              role="slider"
              aria-label={`Point ${knot + 1} of ${KNOTS}`}
              aria-valuemin={low}
              aria-valuemax={high}
              aria-valuenow={value}
              onKeyDown={(event) => press(event, knot)}
            />
          ))}
      </svg>
      <p>
        <span>first step</span>
        <span>
          from {formatMeasured(low)} (below) to {formatMeasured(high)} (above)
        </span>
        <span>last step</span>
      </p>
    </fieldset>
  );
}
