/** What counts as a vanishing or exploding gradient: a power of ten that the reader may move. */

import { power } from "../../format";
import { exploding, thresholds, vanishing } from "../../state/signals";

const VANISHING = [-12, -10, -8, -6, -5, -4, -3, -2];
const EXPLODING = [0, 1, 2, 3, 4, 5];

export function ThresholdSelect({ metric }: { metric: string }) {
  if (metric !== "vanishing" && metric !== "exploding") return null;
  const [options, limit] = metric === "vanishing" ? [VANISHING, vanishing] : [EXPLODING, exploding];
  return (
    <>
      {metric === "vanishing" ? ", norm below " : ", norm above "}
      <select
        class="chart-threshold"
        aria-label={`Threshold of ${metric} gradients`}
        value={thresholds.value[metric]}
        onChange={(event) => {
          limit.value = Number(event.currentTarget.value);
        }}
      >
        {options.map((exponent) => (
          <option key={exponent} value={exponent}>
            {power(exponent)}
          </option>
        ))}
      </select>
    </>
  );
}
