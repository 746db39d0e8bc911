/** How the condition of a simulator's Hessian grows with its size, both axes logarithmic. */

import { power, significant } from "../../format";

interface ConditionChartProps {
  values: readonly (readonly [number, number])[];
  /** What the size counts. */
  size: string;
  /** The run's own size, marked. */
  here: number;
}

const [WIDTH, HEIGHT] = [240, 128];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 10, 30];

export function ConditionChart({ values, size, here }: ConditionChartProps) {
  const sizes = values.map(([one]) => one);
  const top = Math.ceil(Math.max(...values.map(([, condition]) => Math.log10(condition))) / 2) * 2;
  const [first, last] = [Math.log2(Math.min(...sizes)), Math.log2(Math.max(...sizes))];
  const x = (value: number) =>
    LEFT + ((Math.log2(value) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (exponent: number) => HEIGHT - BOTTOM - (exponent / top) * (HEIGHT - TOP - BOTTOM);
  const points = values.map(([at, condition]) => [x(at), y(Math.log10(condition))] as const);
  const words = values.map(([at, condition]) => `${at}: ${significant(condition, 2)}`).join(", ");
  const ticks = Array.from({ length: top / 2 + 1 }, (_, k) => 2 * k);
  return (
    <svg
      class="condition-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Condition of JᵀJ by ${size}: ${words}`}
    >
      {ticks.map((exponent) => (
        <g key={exponent}>
          <path class="condition-grid" d={`M${LEFT} ${y(exponent)}H${WIDTH - RIGHT}`} />
          <text x={LEFT - 5} y={y(exponent) + 4} text-anchor="end">
            {power(exponent)}
          </text>
        </g>
      ))}
      {sizes.map((at) => (
        <text key={at} x={x(at)} y={HEIGHT - BOTTOM + 13} text-anchor="middle">
          {at}
        </text>
      ))}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 3} text-anchor="middle">
        {size}; condition of JᵀJ
      </text>
      <polyline class="condition-line" points={points.map(([px, py]) => `${px},${py}`).join(" ")} />
      {points.map(([px, py], index) => (
        <circle
          key={sizes[index]}
          class={sizes[index] === here ? "condition-here" : "condition-dot"}
          cx={px}
          cy={py}
          r={sizes[index] === here ? 5 : 2.5}
        />
      ))}
    </svg>
  );
}
