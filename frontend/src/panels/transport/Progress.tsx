/** How far playback and the run are, in words. */

import { useEffect, useRef } from "preact/hooks";
import { formatCount, formatDuration } from "../../format";
import { tape } from "../../state/clock";
import { hasEnded, type RunLog } from "../../state/log";
import { timeLeft } from "../../state/playback";
import { isOthers, session } from "../../state/session";
import { cursor, run } from "../../state/signals";

export function Progress() {
  const log = run.value;
  const left = useTimeLeft(log);
  if (log === null) return <p class="progress" />;
  const steps = log.spec?.steps ?? 0;
  return (
    <p class="progress">
      step <strong>{formatCount(cursor.value)}</strong> of {formatCount(steps)}
      <span>{describe(log, steps, left)}</span>
      {isOthers.value && (
        <span data-tip="They and the admin may stop it; you may fork it">
          another visitor’s run
        </span>
      )}
    </p>
  );
}

function describe(log: RunLog, steps: number, left: number | null): string {
  const now = session.value;
  if (now.kind === "asking") return "computing what if…";
  if (now.kind === "queued") return now.place === null ? "queued" : `queued, place ${now.place}`;
  switch (log.status) {
    case "loading":
      return "loading";
    case "failed":
      return `failed at ${formatCount(log.head)}`;
    case "cancelled":
      return `stopped at ${formatCount(log.head)}`;
    case "finished":
      return log.head < steps ? `ended at ${formatCount(log.head)}` : "computed";
    default:
      return `computed to ${formatCount(log.head)}${left === null ? "" : `, ${formatDuration(left)} left`}`;
  }
}

/** Estimates from the pace since the page began to follow, over at most the last 20 s. */
function useTimeLeft(log: RunLog | null): number | null {
  const marks = useRef<{ of: string | undefined; points: { at: number; head: number }[] }>({
    of: undefined,
    points: [],
  });
  const now = performance.now() / 1000;
  const state = marks.current;
  if (state.of !== log?.id) {
    state.of = log?.id;
    state.points = [];
  }
  useEffect(() => {
    if (log === null || hasEnded(log)) return;
    const last = state.points.at(-1);
    if (last?.head === log.head) return;
    state.points.push({ at: now, head: log.head });
    while (state.points.length > 2 && now - (state.points[0] as { at: number }).at > 20) {
      state.points.shift();
    }
  });
  const first = state.points[0];
  if (log === null || first === undefined) return null;
  return timeLeft(first.head, tape(), now - first.at);
}
