/**
 * What the page does with runs: start one, show one, fork one. The only place that talks to the
 * server about runs; a report, which has no server, never calls it.
 */

import { batch, signal } from "@preact/signals";
import { ApiError, exportUrl, request, send, submitRun } from "../api/client";
import { type Connection, RunStream } from "../api/stream";
import type { RunDetail, RunEvent, Spec, Submitted } from "../api/types";
import { pause, play, seek, startTape } from "./clock";
import { draft, loadDraft, presetOfDraft, problems } from "./draft";
import { isWhatIf, refines, whatIf } from "./edit";
import { applyEvent, hasEnded, newLog, type RunLog } from "./log";
import { cursor, ghost, overlays, revision, run } from "./signals";

/** What the page waits for. */
export const waitingFor = signal<"nothing" | "start" | "load" | "what-if">("nothing");

export const connection = signal<Connection>("closed");

/** Seconds until the next attempt while the connection is lost. */
export const retryIn = signal(0);

/** Something went wrong that belongs to no field. */
export const failure = signal<{ message: string; retry: (() => void) | null } | null>(null);

/** The what-if that is being asked, until its curves are there. */
export const asking = signal<{ arm: number; step: number; setting: Setting } | null>(null);

/** What a what-if may change. */
export interface Setting {
  tikhonov?: number;
  lr?: number;
}

/** At most ten redraws a second follow a run. */
const REVISION_MS = 100;

let stream: RunStream | null = null;
/** Answers to requests that a later one has overtaken are dropped. */
let generation = 0;
/** A fork that this page asked for and still computes: overtaken by the next one, it is stopped. */
let pendingFork: string | null = null;

/** Starts (or joins) the run of the draft and plays it from step 0. */
export async function start(): Promise<void> {
  const spec = draft.value;
  if (spec === null) return;
  const preset = presetOfDraft.value;
  const own = begin("start");
  const answer = await submitted(own, preset === null ? spec : { preset: preset.name });
  if (answer === null) return;
  const log = followed(answer, own);
  log.spec = spec; // until the run says it itself: it may have to wait
  batch(() => {
    ghost.value = null;
    overlays.value = [];
    show(log);
    seek(0);
    play();
  });
}

/** Shows a run that the server has: live at its head, or an ended one at its end. */
export async function open(id: string, step: number | null): Promise<boolean> {
  const own = begin("load");
  try {
    const detail = await request<RunDetail>(`api/runs/${encodeURIComponent(id)}`);
    if (own !== generation) return false;
    const log = newLog(id);
    log.spec = detail.spec;
    log.status = detail.status === "queued" ? "queued" : "loading";
    log.position = detail.position;
    batch(() => {
      waitingFor.value = "nothing";
      ghost.value = null;
      loadDraft(detail.spec);
      const live = detail.ended === null;
      startTape(step ?? (live ? 0 : detail.step), step === null && live ? "live" : "paused");
      show(follow(log, own));
    });
    void showWithout(detail, own);
    return true;
  } catch (error) {
    if (own === generation) fail(error, () => void open(id, step));
    return false;
  }
}

/** A what-if is shown with the run as it was without it, as on the page that asked. */
async function showWithout(detail: RunDetail, own: number): Promise<void> {
  try {
    let child = detail;
    for (let depth = 0; depth < MOST_REFINEMENTS && child.parent !== null; depth++) {
      const parent = await request<RunDetail>(`api/runs/${encodeURIComponent(child.parent)}`);
      if (!isWhatIf(parent.spec, child.spec)) return;
      // Dragging again at the same place refined one what-if: the run without it lies further up.
      if (!refines(parent.spec, child.spec)) {
        const log = await wholeLog(parent.id);
        if (own === generation) ghost.value = log;
        return;
      }
      child = parent;
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the parent is gone: there is nothing to show
  }
}

/** Puts the spec of a run into the controls, without showing the run. */
export async function loadSpecOf(id: string): Promise<void> {
  const own = begin("load");
  try {
    const detail = await request<RunDetail>(`api/runs/${encodeURIComponent(id)}`);
    if (own !== generation) return;
    waitingFor.value = "nothing";
    loadDraft(detail.spec);
  } catch (error) {
    if (own === generation) fail(error, () => void loadSpecOf(id));
  }
}

/** Leaves the run on the page; the controls keep their spec. */
export function leave(): void {
  begin("nothing");
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
    await send("POST", stopUrl(id));
  } catch (error) {
    fail(error, null);
  }
}

/** Stops the run if it is still going: it may end while the page asks. */
const stopUrl = (id: string) => `api/runs/${id}/stop?ended_ok=true`;

/** How often one what-if may have been refined. */
const MOST_REFINEMENTS = 20;

const ASK_MS = 250;
/** A drag of the same setting so soon after a what-if goes on trying: it asks from the same step. */
const SAME_DRAG_MS = 3000;
let askTimer: ReturnType<typeof setTimeout> | undefined;
let lastAsked = { arm: -1, key: "", step: 0, at: Number.NEGATIVE_INFINITY };

/** The step from which a drag that begins now asks what if. Playback rests there. */
export function beginDrag(arm: number, key: keyof Setting): number {
  const { step, at } = lastAsked;
  const goesOn = arm === lastAsked.arm && key === lastAsked.key;
  const soon = performance.now() - at < SAME_DRAG_MS;
  pause();
  return goesOn && soon ? step : Math.round(cursor.peek());
}

/**
 * Forks the run on the page: `arm` goes on with another setting from `step`. The curves so far stay
 * as the ghost. Many calls in a row: the last one counts.
 */
export function ask(arm: number, step: number, key: keyof Setting, value: number): void {
  const setting = { [key]: value };
  lastAsked = { arm, key, step, at: performance.now() };
  asking.value = { arm, step, setting };
  clearTimeout(askTimer);
  askTimer = setTimeout(() => void fork(arm, step, setting), ASK_MS);
}

async function fork(arm: number, wanted: number, setting: Setting): Promise<void> {
  const parent = run.value;
  if (parent?.spec == null) return;
  const step = Math.min(wanted, parent.spec.steps - 1);
  const spec = whatIf(parent.spec, arm, step, setting);
  // Dragging again at the same place: it is still compared with the same run.
  const again = refines(parent.spec, spec);
  const own = begin("what-if");
  const overtaken = pendingFork;
  pendingFork = null;
  if (overtaken !== null) void stopQuietly(overtaken);
  pause();
  const answer = await submitted(own, spec, parent.id);
  if (answer === null) return;
  if (!answer.reused) pendingFork = answer.id;
  const log = followed(answer, own);
  log.spec = spec;
  // The fork's log repeats the parent's up to the change: show it once it has got there.
  whenComputedTo(log, own, step, () => {
    batch(() => {
      waitingFor.value = "nothing";
      asking.value = null;
      lastAsked.at = performance.now();
      if (!again || ghost.value === null) ghost.value = parent;
      overlays.value = [];
      show(log);
      loadDraft(log.spec ?? spec);
      seek(step);
      play();
    });
  });
}

/** Forgets the curves of before the what-if. */
export function dropGhost(): void {
  ghost.value = null;
}

/** Lays the whole logs of other runs of the same task over the one on the page. */
export async function layOver(ids: readonly string[]): Promise<void> {
  const own = generation;
  try {
    const details = await Promise.all(
      ids.map((id) => request<RunDetail>(`api/runs/${encodeURIComponent(id)}`)),
    );
    const task = run.value?.spec?.task.name;
    const alike = details.filter((detail) => detail.task === task);
    const logs = await Promise.all(alike.map(({ id }) => wholeLog(id)));
    if (own !== generation) return;
    overlays.value = logs;
    if (alike.length < ids.length) {
      const message = "A run of another task has nothing to be compared with here.";
      failure.value = { message, retry: null };
    }
  } catch (error) {
    if (own === generation) fail(error, () => void layOver(ids));
  }
}

/** All that a run has said so far. */
export async function wholeLog(id: string): Promise<RunLog> {
  const events = await request<RunEvent[]>(exportUrl(id, "json"));
  const log = newLog(id);
  for (const event of events) applyEvent(log, event);
  return log;
}

/** Tries a lost connection again at once. */
export function reconnect(): void {
  stream?.retry();
}

function begin(what: typeof waitingFor.value): number {
  generation++;
  if (what !== "what-if") {
    asking.value = null;
    clearTimeout(askTimer); // what was to be asked is about another run
  }
  waitingFor.value = what;
  failure.value = null;
  return generation;
}

async function submitted(
  own: number,
  what: Spec | { preset: string },
  from?: string,
): Promise<Submitted | null> {
  try {
    const answer = await submitRun(what, from);
    if (own === generation) {
      problems.value = [];
      return answer;
    }
    if (!answer.reused && from !== undefined) void stopQuietly(answer.id);
    return null;
  } catch (error) {
    if (own === generation) fail(error, from === undefined ? () => void start() : null);
    return null;
  }
}

/** A fork that nobody waits for any more should not hold up the next. */
async function stopQuietly(id: string): Promise<void> {
  await send("POST", stopUrl(id)).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error; // gone already is as good
  });
}

function followed(answer: Submitted, own: number): RunLog {
  const log = newLog(answer.id);
  log.status = answer.status === "queued" ? "queued" : "loading";
  log.position = answer.position;
  return follow(log, own);
}

/** Streams the run's events into `log`; replaces the stream before. */
function follow(log: RunLog, own: number): RunLog {
  stream?.close();
  const current = new RunStream(log.id, {
    after: () => log.seq,
    onEvent(event) {
      const outcome = applyEvent(log, event);
      if (event.type === "started" && run.value === log) settled(log);
      if (log.id === pendingFork && hasEnded(log)) pendingFork = null;
      announce(log, event.type === "started" || hasEnded(log));
      return outcome;
    },
    onPosition(position) {
      log.position = position;
      announce(log, true);
    },
    onConnection(state, wait) {
      if (stream !== current) return;
      batch(() => {
        connection.value = state;
        retryIn.value = wait;
        if (state === "gone") {
          failure.value = { message: "This run was removed from the server.", retry: null };
        }
      });
    },
  });
  stream = current;
  current.start();
  if (own === generation && waitingFor.value !== "what-if") waitingFor.value = "nothing";
  return log;
}

/** The server has completed the spec: the controls take it over unless they were edited since. */
function settled(log: RunLog): void {
  if (log.spec !== null && problems.value.length === 0) loadDraft(log.spec);
}

function show(log: RunLog | null): void {
  if (log === null) {
    stream?.close();
    stream = null;
    connection.value = "closed";
  }
  run.value = log;
  revision.value++;
}

let announceTimer: ReturnType<typeof setTimeout> | undefined;

function announce(log: RunLog, now: boolean): void {
  if (run.value !== log) return;
  if (now) {
    clearTimeout(announceTimer);
    announceTimer = undefined;
    revision.value++;
  } else if (announceTimer === undefined) {
    announceTimer = setTimeout(() => {
      announceTimer = undefined;
      revision.value++;
    }, REVISION_MS);
  }
}

/** Calls `then` once the log reaches `step` or has ended; never, once overtaken. */
function whenComputedTo(log: RunLog, own: number, step: number, then: () => void): void {
  const timer = setInterval(() => {
    if (own !== generation) clearInterval(timer);
    else if ((log.seq > 0 && log.head >= step) || hasEnded(log)) {
      clearInterval(timer);
      then();
    }
  }, 30);
}

function fail(error: unknown, retry: (() => void) | null): void {
  if (!(error instanceof ApiError)) throw error;
  batch(() => {
    waitingFor.value = "nothing";
    asking.value = null;
    problems.value = error.problems;
    const isAboutFields = error.problems.length > 0;
    failure.value = isAboutFields ? null : { message: error.message, retry };
  });
}
