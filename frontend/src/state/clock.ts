/** Moves the playback step while playing: the one clock of the page. */

import { effect, signal } from "@preact/signals";
import { hasEnded } from "./log";
import { advance, clampStep, type Tape } from "./playback";
import { cursor, run } from "./signals";

export const playing = signal(false);

/** Steps a second; 0: as fast as the run computes. */
export const speed = signal(0);

/** The page redraws at most this often while playing. */
const FRAME_MS = 100;

/** Whether the charts have not drawn the step before yet: the next one waits for them. */
let isDrawing: () => boolean = () => false;

/** Has the clock wait for drawings: everything on the page shows one time. */
export function waitForDrawings(how: () => boolean): void {
  isDrawing = how;
}

let position = 0;
let last = 0;
let frame = 0;
/** Where playback is to be once the log reaches so far (a link's step, an ended run's end). */
let wanted: number | null = null;

/** The run as a tape; nothing is on it without a run. */
export function tape(): Tape {
  const log = run.peek();
  if (log === null) return { head: 0, steps: 0, ended: true };
  const steps = log.spec?.steps ?? Math.max(1, log.head);
  return { head: log.head, steps, ended: hasEnded(log) };
}

export function play(): void {
  wanted = null;
  playing.value = true;
}

export function pause(): void {
  wanted = null;
  playing.value = false;
}

/** Plays, pauses, or starts again from an end. */
export function toggle(): void {
  if (playing.value) {
    pause();
    return;
  }
  const { head, ended } = tape();
  if (ended && cursor.value >= head) seek(0);
  play();
}

/** Goes to a step, as far as it is computed. */
export function seek(step: number): void {
  wanted = null;
  position = clampStep(step, tape());
  cursor.value = position;
}

/** The same; to a step that the log has not reached, once it has: of an address, or of a teacher. */
export function goTo(step: number): void {
  seek(step);
  if (position < step) wanted = step;
}

/** Goes some steps on or back, and pauses there. */
export function stepBy(steps: number): void {
  pause();
  seek(cursor.value + steps);
}

export function toHead(): void {
  seek(tape().head);
}

/**
 * Before a log arrives: where to be in it once it does. `live`: it plays from there at the speed
 * that was chosen, or at full speed keeps to the head.
 */
export function startTape(step: number, mode: "live" | "paused"): void {
  position = 0;
  cursor.value = 0;
  const isLive = mode === "live";
  wanted = isLive && speed.peek() === 0 ? Number.POSITIVE_INFINITY : step;
  if (isLive && wanted === 0) wanted = null;
  playing.value = isLive;
}

/** Follows the log to where playback was wanted; the reader's own moves end that. */
function reach(): void {
  if (wanted === null) return;
  const { head, ended } = tape();
  const there = Math.min(wanted, head);
  if (there !== cursor.peek()) {
    position = there;
    cursor.value = there;
  }
  if (ended || (head >= wanted && wanted > 0)) wanted = null;
}

function tick(now: number): void {
  frame = requestAnimationFrame(tick);
  const elapsed = now - last;
  if (elapsed < FRAME_MS || isDrawing()) return;
  last = now;
  if (wanted !== null) {
    reach();
    return;
  }
  const next = advance({ position, playing: true }, tape(), speed.peek(), elapsed / 1000);
  position = next.position;
  const step = Math.floor(next.position);
  if (step !== cursor.peek()) cursor.value = step;
  if (!next.playing) playing.value = false;
}

/** Starts the clock; returns how to stop it. */
export function startClock(): () => void {
  const stopFollowing = effect(() => {
    run.value;
    if (!playing.peek()) reach(); // while it plays, the ticks do so
  });
  const stopChoosing = effect(() => {
    if (speed.value === 0 || wanted !== Number.POSITIVE_INFINITY) return;
    wanted = null; // a speed was chosen: playback no longer keeps to the head
    position = cursor.peek();
  });
  const stopTicking = effect(() => {
    cancelAnimationFrame(frame);
    if (!playing.value) return;
    last = performance.now();
    position = cursor.peek();
    frame = requestAnimationFrame(tick);
  });
  return () => {
    stopFollowing();
    stopChoosing();
    stopTicking();
    cancelAnimationFrame(frame);
  };
}
