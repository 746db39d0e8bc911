/** Before the first run: what will happen, and the one thing to do. */

import { formatCount, formatDuration } from "../../format";
import { draft, draftLabels, draftStyles, presetOfDraft } from "../../state/draft";
import { isStarting, start } from "../../state/session";
import { hasRun } from "../../state/signals";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";

/** This panel goes once the run is there: the focus moves on to what plays it. */
async function train(): Promise<void> {
  await start();
  await new Promise(requestAnimationFrame); // until then it is off, as the run is starting
  if (hasRun.peek()) document.querySelector<HTMLElement>(".transport .go")?.focus();
}

/** `story`: what the preset is about, which a lesson says itself. */
export function Empty({ story = true }: { story?: boolean }) {
  const spec = draft.value;
  if (spec === null) return null;
  const preset = presetOfDraft.value;
  const starting = isStarting.value;
  return (
    <section class="panel empty" aria-labelledby="empty-title">
      {story && (
        <p class="lead">
          The lab trains one small network in several ways at once, and shows what <b>curvature</b>{" "}
          does: who learns faster, and why.
        </p>
      )}
      <h2 id="empty-title">{preset?.title ?? "Your own experiment"}</h2>
      <p>
        {spec.arms.map((_, index) => (
          <span key={draftLabels.value[index]}>
            {index > 0 && (index === spec.arms.length - 1 ? " and " : ", ")}
            <b style={{ color: draftStyles.value[index]?.ink }}>{draftLabels.value[index]}</b>
          </span>
        ))}{" "}
        {spec.arms.length === 1 ? "trains" : "train side by side"} for {formatCount(spec.steps)}{" "}
        steps, from the same weights, on the same batches.
        {preset !== null &&
          ` It takes about ${formatDuration(preset.expect.seconds)} on two cores.`}
      </p>
      <button type="button" class="go large" disabled={starting} onClick={() => void train()}>
        <Icon name="play" size={18} />
        {starting ? "Starting…" : "Train"}
      </button>
      {story && (
        <p>
          New to this? <Link to={{ path: "lessons", search: "" }}>Begin with the lessons</Link>
        </p>
      )}
      {preset !== null && story && <p class="story">{preset.story}</p>}
    </section>
  );
}
