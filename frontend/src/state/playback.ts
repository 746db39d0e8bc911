/** Playback over a log: a step that moves on its own. Pure; `clock.ts` drives it. */

/** Steps a second that the speed control offers, slowest first; 0: as fast as the run computes. */
export const SPEEDS = [1, 5, 20, 100, 500, 0] as const;

/** A run that is computed already plays in this many seconds at full speed: a film, not a jump. */
export const FULL_SPEED_SECONDS = 8;

export interface Playback {
  /** Where playback is; fractions are steps not yet shown in full. */
  position: number;
  playing: boolean;
}

export interface Tape {
  /** How far the run has computed. */
  head: number;
  /** Steps of the whole run. */
  steps: number;
  /** Whether the head moves no more. */
  ended: boolean;
}

/** The playback after `seconds` more. It waits at the head of a live run and stops at an end. */
export function advance(playback: Playback, tape: Tape, speed: number, seconds: number): Playback {
  if (!playback.playing) return playback;
  const rate = speed > 0 ? speed : Math.max(20, tape.steps / FULL_SPEED_SECONDS);
  const position = Math.min(tape.head, playback.position + rate * seconds);
  return { position, playing: !(tape.ended && position >= tape.head) };
}

/** A step within what has been computed. */
export function clampStep(step: number, tape: Tape): number {
  return Math.max(0, Math.min(Math.round(step), tape.head));
}

/** "5 steps a second", as the speed control says it. */
export function speedLabel(speed: number): string {
  return speed === 0 ? "full speed" : `${speed}/s`;
}

/** Seconds until the run has computed everything, from what it did in `elapsed` seconds. */
export function timeLeft(from: number, tape: Tape, elapsed: number): number | null {
  const done = tape.head - from;
  if (tape.ended || done <= 0 || elapsed < 0.5) return null;
  return ((tape.steps - tape.head) * elapsed) / done;
}
