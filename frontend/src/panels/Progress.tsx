/** How far playback and the run are, in words. */

import { useEffect, useRef } from "preact/hooks";
import { formatCount, formatDuration } from "../format";
import { tape } from "../state/clock";
import { hasEnded, type RunLog } from "../state/log";
import { timeLeft } from "../state/playback";
import { waitingFor } from "../state/session";
import { cursor, watchRun } from "../state/signals";

export function Progress() {
  const log = watchRun();
  const left = useTimeLeft(log);
  if (log === null) return <p class="progress" />;
  const steps = log.spec?.steps ?? 0;
  return (
    <p class="progress">
      step <strong>{formatCount(cursor.value)}</strong> of {formatCount(steps)}
      <span>{describe(log, steps, left)}</span>
    </p>
  );
}

function describe(log: RunLog, steps: number, left: number | null): string {
  if (waitingFor.value === "what-if") return "asking what if…";
  switch (log.status) {
    case "queued":
      return log.position === null ? "queued" : `queued, place ${log.position}`;
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
  const marks = useRef<{ log: RunLog | null; points: { at: number; head: number }[] }>({
    log: null,
    points: [],
  });
  const now = performance.now() / 1000;
  const state = marks.current;
  if (state.log !== log) {
    state.log = log;
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
