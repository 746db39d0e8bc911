import { describe, expect, it } from "vitest";
import { advance, clampStep, FULL_SPEED_SECONDS, SPEEDS, timeLeft } from "./playback";

const live = { head: 100, steps: 1000, ended: false };
const done = { head: 1000, steps: 1000, ended: true };

describe("advance", () => {
  it("moves at the speed given", () => {
    expect(advance({ position: 10, playing: true }, live, 20, 0.5)).toEqual({
      position: 20,
      playing: true,
    });
  });

  it("waits at the head of a live run, and goes on from there", () => {
    const waiting = advance({ position: 95, playing: true }, live, 20, 1);
    expect(waiting).toEqual({ position: 100, playing: true });
    expect(advance(waiting, { ...live, head: 104 }, 20, 0.1).position).toBeCloseTo(102);
  });

  it("stops at the end of an ended run", () => {
    expect(advance({ position: 990, playing: true }, done, 20, 1)).toEqual({
      position: 1000,
      playing: false,
    });
  });

  it("plays a computed run as a film at full speed", () => {
    let playback = { position: 0, playing: true };
    let seconds = 0;
    while (playback.playing && seconds < 60) {
      playback = advance(playback, done, 0, 0.1);
      seconds += 0.1;
    }
    expect(seconds).toBeCloseTo(FULL_SPEED_SECONDS, 0);
  });

  it("stays where it is while paused", () => {
    expect(advance({ position: 3, playing: false }, live, 20, 1).position).toBe(3);
  });

  it("offers speeds slow enough to explain and as fast as computed", () => {
    expect(SPEEDS[0]).toBe(1);
    expect(SPEEDS.at(-1)).toBe(0);
  });
});

describe("clampStep", () => {
  it("keeps to whole steps that are computed", () => {
    expect(clampStep(-5, live)).toBe(0);
    expect(clampStep(3.6, live)).toBe(4);
    expect(clampStep(500, live)).toBe(100);
  });
});

describe("timeLeft", () => {
  it("extrapolates the pace so far", () => {
    expect(timeLeft(0, live, 2)).toBeCloseTo(18);
    expect(timeLeft(0, done, 2)).toBeNull();
    expect(timeLeft(100, live, 2)).toBeNull();
    expect(timeLeft(0, live, 0.1)).toBeNull();
  });
});
