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

/** Goes some steps on or back, and pauses there. */
export function stepBy(steps: number): void {
  pause();
  seek(cursor.value + steps);
}

export function toHead(): void {
  seek(tape().head);
}

/** Before a log arrives: where to be in it once it does; `live`: at its head, playing. */
export function startTape(step: number, mode: "live" | "paused"): void {
  position = 0;
  cursor.value = 0;
  wanted = mode === "live" ? Number.POSITIVE_INFINITY : step;
  playing.value = mode === "live";
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
  if (elapsed < FRAME_MS) return;
  last = now;
  if (wanted !== null) return; // the effect below keeps to the head
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
    reach();
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
    stopTicking();
    cancelAnimationFrame(frame);
  };
}
