/** One arm's paired difference as a line with its interval, the paper's as a diamond. */

import type { ArmResult, ResultMetric } from "../../api/types";
import { hasEnds, intervalWords, shownValue, standing } from "./numbers";

const WIDTH = 200;
const HEIGHT = 18;
const MIDDLE = HEIGHT / 2;

interface Props {
  arm: ArmResult;
  metric: ResultMetric;
  /** What lies at the left and right ends, the same for all arms of a row. */
  range: [number, number];
  /** The paper's difference, if it is known. */
  paper: number | null;
  /** What is shown of the difference; by default, what its own interval says. */
  stands?: "better" | "worse" | "open";
}

export function ForestBar({ arm, metric, range: [from, to], paper, stands }: Props) {
  const { gain } = arm;
  const place = (value: number) => ((value - from) / (to - from)) * WIDTH;
  const words = gain ? intervalWords(metric, gain) : "the baseline";
  const beside = paper === null ? "" : `; the paper ${shownValue(metric, paper, true)}`;
  return (
    <svg
      class={`forest forest-${stands ?? standing(arm)}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${arm.label}: ${words}${beside}`}
    >
      <line class="forest-zero" x1={place(0)} x2={place(0)} y1="0" y2={HEIGHT} />
      {gain && hasEnds(gain) && (
        <>
          <line x1={place(gain.low)} x2={place(gain.high)} y1={MIDDLE} y2={MIDDLE} />
          {[gain.low, gain.high].map((end, index) => (
            <line key={index} x1={place(end)} x2={place(end)} y1={MIDDLE - 3} y2={MIDDLE + 3} />
          ))}
          <circle cx={place(gain.mean)} cy={MIDDLE} r="3.5" />
        </>
      )}
      {paper !== null && (
        <path class="forest-paper" d={`M ${place(paper)} ${MIDDLE - 6} l 5 6 l -5 6 l -5 -6 z`} />
      )}
    </svg>
  );
}
