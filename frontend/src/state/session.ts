/**
 * What the page does with runs: starts one, shows one, compares some. The only place that talks to
 * the server about runs; a report, which has no server, never calls it.
 *
 * A session is in one state at a time. The page has at most one task. The next task aborts it, with
 * the requests that it has left behind.
 */

import { batch, computed, signal } from "@preact/signals";
import { ApiError, exportUrl, request, send, submitRun } from "../api/client";
import type { RunDetail, RunEvent, Spec, Submitted } from "../api/types";
import { pause, play, seek, startTape } from "./clock";
import { catalog, draft, loadDraft, presetItself, problems, unusable } from "./draft";
import { isWhatIf, refines } from "./edit";
import { failure } from "./failure";
import { Following, type FollowState } from "./following";
import { hasEnded, type RunLog } from "./log";
import { cursor, ghost, overlays, run, seedRuns, source } from "./signals";
import { logOfEvents } from "./store";

/** A question: how would the run have gone on with another setting of an arm from a step on? */
export interface WhatIf {
  arm: number;
  step: number;
  setting: { tikhonov?: number; lr?: number };
}

/** What the page waits for. */
type Task =
  | { kind: "opening"; what: "start" | "load" }
  /** The curves of the run without it stay until those with it are there. */
  | { kind: "asking"; whatIf: WhatIf }
  /** Other seeds of the run are asked for; the run stays as it is. */
  | { kind: "seeds" };

/** `idle`: no run is on the page, and none is wanted. */
export type Session = { kind: "idle" } | Task | FollowState;

const current = signal<{ task: Task | null; stop: AbortController }>({
  task: null,
  stop: new AbortController(),
});

/** The run on the page, where it is one of the server's. */
export const followed = computed(() => (source.value instanceof Following ? source.value : null));

export const session = computed<Session>(
  () => current.value.task ?? followed.value?.state.value ?? { kind: "idle" },
);

/** Whether the run on the page is one of the server's that is being computed, or waits to be. */
export const isGoing = computed(
  () => followed.value !== null && !hasEnded(followed.value.log.value),
);

/** Whether that run is another visitor's, which this one may look at and not stop. */
export const isOthers = computed(() => isGoing.value && followed.value?.isChangeable === false);

/** Whether a run of the draft is about to begin. */
export const isStarting = computed(() => {
  const now = session.value;
  return now.kind === "opening" && now.what === "start";
});

/**
 * Does `work` as the page's one task, after aborting the one before. Returns false if it failed, in
 * which case a notice says why and offers `retry`, or if another task has overtaken it.
 */
export async function perform(
  task: Task,
  work: (signal: AbortSignal) => Promise<void>,
  retry: (() => void) | null,
): Promise<boolean> {
  const signal = begin(task);
  try {
    await work(signal);
    return !signal.aborted;
  } catch (error) {
    if (signal.aborted && (error === signal.reason || isAnswer(error))) return false;
    explain(error, retry);
    return false;
  } finally {
    const { stop } = current.peek();
    if (stop.signal === signal) current.value = { task: null, stop };
  }
}

function begin(task: Task | null): AbortSignal {
  current.peek().stop.abort();
  const stop = new AbortController();
  batch(() => {
    current.value = { task, stop };
    failure.value = null;
  });
  return stop.signal;
}

function isAnswer(error: unknown): boolean {
  return (
    error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")
  );
}

/** Says what the server refused: at its fields, or in a notice. */
function explain(error: unknown, retry: (() => void) | null): void {
  if (!(error instanceof ApiError)) throw error;
  batch(() => {
    problems.value = error.problems;
    const isAboutFields = error.problems.length > 0;
    failure.value = isAboutFields ? null : { message: error.message, retry };
  });
}

/** Starts (or joins) the run of the draft and plays it from step 0. */
export async function start(): Promise<void> {
  const spec = draft.value;
  if (spec === null) return;
  const [words] = unusable.value.values();
  if (words !== undefined) {
    failure.value = { message: `Nothing was started: ${words}.`, retry: null };
    return;
  }
  const preset = presetItself(spec);
  const work = async (signal: AbortSignal): Promise<void> => {
    const answer = await submitRun(preset === null ? spec : { preset: preset.name });
    signal.throwIfAborted();
    batch(() => {
      problems.value = [];
      ghost.value = null;
      overlays.value = [];
      show(follow(answer, spec));
      seek(0);
      play();
    });
  };
  await perform({ kind: "opening", what: "start" }, work, () => void start());
}

/** Shows a run that the server has: live at its head, or an ended one at its end. */
export function open(id: string, step: number | null): Promise<boolean> {
  const work = async (signal: AbortSignal): Promise<void> => {
    const detail = await detailOf(id, signal);
    const live = detail.ended === null;
    batch(() => {
      ghost.value = null;
      loadDraft(detail.spec);
      startTape(step ?? detail.step, step === null && live ? "live" : "paused");
      show(follow(detail, detail.spec));
    });
    void showWithout(detail, signal);
  };
  return perform({ kind: "opening", what: "load" }, work, () => void open(id, step));
}

/** How often one what-if may have been refined. */
const MOST_REFINEMENTS = 20;

/** A what-if is shown with the run as it was without it, as on the page that asked. */
async function showWithout(detail: RunDetail, signal: AbortSignal): Promise<void> {
  try {
    let child = detail;
    for (let depth = 0; depth < MOST_REFINEMENTS && child.parent !== null; depth++) {
      const parent = await detailOf(child.parent, signal);
      if (!isWhatIf(parent.spec, child.spec)) return;
      // Dragging again at the same place refined one what-if: the run without it lies further up.
      if (!refines(parent.spec, child.spec)) {
        ghost.value = await wholeLog(parent.id, signal);
        return;
      }
      child = parent;
    }
  } catch (error) {
    if (!isAnswer(error)) throw error; // the parent is gone, or nobody looks: nothing to show
  }
}

/** Puts the spec of a run into the controls, without showing the run. */
export async function loadSpecOf(id: string): Promise<void> {
  const work = async (signal: AbortSignal) => loadDraft((await detailOf(id, signal)).spec);
  await perform({ kind: "opening", what: "load" }, work, () => void loadSpecOf(id));
}

/** Leaves the run on the page; the controls keep their spec. */
export function leave(): void {
  begin(null);
  batch(() => {
    ghost.value = null;
    overlays.value = [];
    show(null);
    pause();
    cursor.value = 0;
  });
}

/** Stops the run's computing; what it has computed stays. */
export async function stop(): Promise<void> {
  const id = run.value?.id;
  if (id === undefined) return;
  try {
    await stopRun(id);
  } catch (error) {
    explain(error, null);
  }
}

/** Lays the whole logs of other runs of the same task over the one on the page. */
export async function layOver(ids: readonly string[]): Promise<void> {
  const { signal } = current.peek().stop;
  try {
    const details = await Promise.all(ids.map((id) => detailOf(id, signal)));
    const task = run.value?.spec?.task.name;
    const alike = details.filter((detail) => detail.task === task);
    overlays.value = await Promise.all(alike.map(({ id }) => wholeLog(id, signal)));
    if (alike.length < ids.length) {
      const message = "A run of another task has nothing to be compared with here.";
      failure.value = { message, retry: null };
    }
  } catch (error) {
    if (!signal.aborted) explain(error, () => void layOver(ids));
    else if (!isAnswer(error)) throw error;
  }
}

/** Forgets the curves of before the what-if. */
export function dropGhost(): void {
  ghost.value = null;
}

/** Tries a lost connection again at once. */
export function reconnect(): void {
  followed.value?.retry();
}

/** Puts a run on the page, in place of the one before. */
export function show(following: Following | null): void {
  for (const other of [followed.peek(), ...seedRuns.peek()]) other?.close();
  batch(() => {
    seedRuns.value = [];
    source.value = following;
  });
}

/** Follows a run as the server answered it; `isOwnFork`: nobody else has asked for it. */
export function follow(
  {
    id,
    status,
    position,
    changeable,
  }: Pick<Submitted, "id" | "status" | "position" | "changeable">,
  spec: Spec,
  isOwnFork = false,
): Following {
  const keepalive = catalog.peek()?.limits.keepalive_seconds;
  return new Following({
    id,
    spec,
    status,
    position,
    changeable,
    isOwnFork,
    onStarted: settle,
    ...(keepalive === undefined ? {} : { keepalive }),
  });
}

/** The server has completed the spec: the controls take it over unless they were edited since. */
function settle(following: Following, spec: Spec): void {
  if (source.peek() === following && problems.peek().length === 0) loadDraft(spec);
}

/** What-ifs of this page that it has stopped, and those that it has removed. */
const stopped = new WeakSet<Following>();
const discarded = new Set<string>();

/** Whether the page has removed a run itself, so that nothing may lead to it. */
export function isDiscarded(id: string): boolean {
  return discarded.has(id);
}

/** A what-if that another one goes on from, or takes the place of, need not compute its own end. */
export function stopOwn(following: Following | null): void {
  if (following?.isOwn !== true) return;
  stopped.add(following);
  stopRun(following.log.peek().id).catch((error: unknown) => {
    if (!isAnswer(error)) throw error;
  });
}

/**
 * A what-if that nobody waits for any more should not hold up the next, nor stand in the list. It
 * must be off the page before: what is on the page is asked about.
 */
export function discardOwn(following: Following | null): void {
  if (following === null || !(following.isOwn || stopped.has(following))) return;
  following.close();
  const { id } = following.log.peek();
  discarded.add(id);
  send("POST", `api/runs/${id}/stop?discard=true`).catch((error: unknown) => {
    if (!isAnswer(error)) throw error; // gone already is as good
  });
}

/** Stops the run if it is still going: it may end while the page asks. */
function stopRun(id: string): Promise<unknown> {
  return send("POST", `api/runs/${id}/stop?ended_ok=true`);
}

function detailOf(id: string, signal: AbortSignal): Promise<RunDetail> {
  return request<RunDetail>(`api/runs/${encodeURIComponent(id)}`, { signal });
}

/** All that a run has said so far. */
export async function wholeLog(id: string, signal: AbortSignal): Promise<RunLog> {
  return logOfEvents(id, await request<RunEvent[]>(exportUrl(id, "json"), { signal }));
}
