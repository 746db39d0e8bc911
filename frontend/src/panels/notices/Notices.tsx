/** When something is not as usual: what it is, in a sentence, and one thing to do about it. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, request } from "../../api/client";
import type { RunDetail } from "../../api/types";
import { formatCount, formatDuration } from "../../format";
import { draft, isEdited, loadDraft, problems } from "../../state/draft";
import { failure } from "../../state/failure";
import { hasEnded } from "../../state/log";
import { resume } from "../../state/resume";
import { humanise } from "../../state/schema";
import { dropGhost, isOthers, perform, reconnect, session, stop } from "../../state/session";
import { canTrain, ghost, overlays, presenting, run, runSpec } from "../../state/signals";
import { Link } from "../../ui/Link";
import { makesReport } from "./report";

export function Notices() {
  return (
    <div class="notices">
      <Refused />
      <Failure />
      <Report />
      <Lost />
      <State />
      <Data />
      <Edited />
      <Compared />
    </div>
  );
}

interface NoticeProps {
  tone?: "plain" | "warn";
  action?: { label: string; run(): void } | null;
  children: ComponentChildren;
}

function Notice({ tone = "plain", action = null, children }: NoticeProps) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "warn" ? "alert" : "status"}>
      <p>{children}</p>
      {action !== null && (
        <button type="button" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

function Refused() {
  const list = problems.value;
  if (list.length === 0) return null;
  return (
    <Notice tone="warn">
      The server refused these settings.{" "}
      {list.slice(0, 3).map(({ path, message }) => {
        const where = path
          .map((part) => (typeof part === "number" ? `${part + 1}` : humanise(part)))
          .join(" › ");
        return (
          <span key={`${where} ${message}`}>
            <strong>{where}</strong>: {message}.{" "}
          </span>
        );
      })}
    </Notice>
  );
}

function Failure() {
  const now = failure.value;
  if (now === null) return null;
  const retry = now.retry;
  return (
    <Notice tone="warn" action={retry === null ? null : { label: "Try again", run: retry }}>
      {now.message}
    </Notice>
  );
}

function Report() {
  if (!makesReport.value) return null;
  return (
    <Notice>
      The report is being made: its pictures take some seconds. It is saved by itself.
    </Notice>
  );
}

function Lost() {
  const now = session.value;
  const log = run.value;
  if (now.kind === "gone")
    return <Notice tone="warn">This run was removed from the server.</Notice>;
  if (now.kind !== "lost" || log === null || hasEnded(log)) return null;
  return (
    <Notice tone="warn" action={{ label: "Try now", run: reconnect }}>
      Connection lost at step {formatCount(log.head)}. Trying again
      {now.retryIn >= 1 ? ` in ${Math.round(now.retryIn)} s` : ""}: the page goes on from there once
      the server answers.
    </Notice>
  );
}

/** The run waits, or ended before its time. */
function State() {
  const now = session.value;
  const log = run.value;
  if (log === null || now.kind === "asking") return null;
  const again = canTrain.value ? { label: "Resume", run: () => goOn(log.id) } : null;
  if (now.kind === "queued") return <Queued id={log.id} place={now.place ?? 1} />;
  if (log.status === "failed") {
    return (
      <Notice tone="warn" action={again}>
        <strong>This run failed</strong> at step {formatCount(log.head)}: {log.error}
      </Notice>
    );
  }
  if (log.status === "cancelled") {
    return (
      <Notice action={again}>
        This run was stopped at step {formatCount(log.head)}. Resume goes on from its last snapshot,
        as a new run with the same numbers.
      </Notice>
    );
  }
  return null;
}

function goOn(id: string): void {
  void perform(
    { kind: "opening", what: "load" },
    () => resume(id),
    () => goOn(id),
  );
}

/** What may be wrong with the run's data though it trains on them. */
function Data() {
  const warnings = run.value?.warnings ?? [];
  return warnings.map((warning) => (
    <Notice key={warning} tone="warn">
      <strong>The data</strong>: {warning}.
    </Notice>
  ));
}

const ASK_MS = 3000;

/** The run waits: how many are before it, which one it waits for, and for how long. */
function Queued({ id, place }: { id: string; place: number }) {
  const [detail, setDetail] = useState<RunDetail | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      try {
        const path = `api/runs/${id}`;
        setDetail(await request<RunDetail>(path, { signal: stop.signal }));
      } catch (error) {
        const isAnswer = error instanceof ApiError || error instanceof DOMException;
        if (!isAnswer) throw error; // it is asked again soon
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_MS);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [id]);
  const ahead = place - 1;
  const blocker = detail?.waits_for ?? null;
  return (
    <Notice action={isOthers.value ? null : { label: "Leave the queue", run: () => void stop() }}>
      {ahead <= 0
        ? "This run is next: it starts as soon as a worker is free."
        : `This run waits: ${ahead === 1 ? "one run is" : `${ahead} runs are`} before it.`}
      {blocker !== null && (
        <>
          {" It waits for "}
          <Link to={{ path: `runs/${blocker.id}`, search: "" }}>{blocker.title}</Link>
          {blocker.seconds_left === null
            ? ", which has only begun."
            : `, which takes about ${formatDuration(blocker.seconds_left)} more.`}
        </>
      )}
    </Notice>
  );
}

function Edited() {
  const spec = runSpec.value;
  if (!isEdited.value || spec === null || draft.value === null) return null;
  return (
    <Notice action={{ label: "Back to the run’s settings", run: () => loadDraft(spec) }}>
      The controls differ from the run on the page: <strong>Train</strong> starts a new one.
    </Notice>
  );
}

/** Which other curves are on the charts. */
function Compared() {
  const before = ghost.value;
  const others = overlays.value;
  if (before !== null) {
    if (presenting.value) return null; // the line above the charts says it
    return (
      <Notice action={{ label: "Hide them", run: dropGhost }}>
        The faint curves are the run as it was, before the change.
      </Notice>
    );
  }
  if (others.length === 0) return null;
  return (
    <Notice
      action={{
        label: "Hide them",
        run: () => {
          overlays.value = [];
        },
      }}
    >
      The faint curves are{" "}
      {others.map((other, index) => (
        <span key={other.id}>
          {index > 0 && ", "}
          <a href={`runs/${other.id}`}>run {other.id.slice(0, 6)}</a>
          {other.spec === null ? "" : ` (${other.spec.loss.name}, seed ${other.spec.seed})`}
        </span>
      ))}
      .
    </Notice>
  );
}
