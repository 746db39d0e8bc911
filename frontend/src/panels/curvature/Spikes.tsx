/** The spikes so far, each arm's largest with a link to the picture that explains it. */

import { useComputed } from "@preact/signals";
import { formatCount, formatMeasured } from "../../format";
import { armName } from "../../state/arms";
import { canTrain, cursor, run, styles } from "../../state/signals";
import { Link } from "../../ui/Link";
import { spikePlace } from "../gradients/address";
import { worstSpikes } from "./step";

export function Spikes() {
  const found = useComputed(() => {
    const log = run.value;
    if (log === null) return [];
    return worstSpikes(log, cursor.value).map((spike) => ({
      ...spike,
      place: spikePlace(log, spike.arm, spike.step),
    }));
  });
  const arms = run.value?.spec?.arms;
  if (found.value.length === 0) return null;
  return (
    <ul class="curvature-spikes" aria-label="Spikes so far">
      {found.value.map(({ arm, step, times, count, place }) => (
        <li key={arm}>
          <b style={{ color: styles.value[arm]?.ink }}>{armName(arms, arm)}</b>{" "}
          {count === 1 ? "had one spike" : `had ${formatCount(count)} spikes, the largest`} at step{" "}
          {formatCount(step)}: a gradient {formatMeasured(times, 2)} times the usual.{" "}
          {place !== null && canTrain.value && (
            <Link to={place} data-tip="What one score feels, with this arm's loss, λ and scores">
              See why
              <span class="visually-hidden">
                {" "}
                {armName(arms, arm)} spiked at step {formatCount(step)}
              </span>
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}
