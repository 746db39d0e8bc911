import { effect } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { metrics, numbered, spec, started } from "../../tests/logs";
import { FakeServer } from "../../tests/server";
import { Following } from "./following";

const summary = { arms: [], step: 30, seconds: 2, primary_metric: "exact_match" };
const EVENTS = numbered([
  started(),
  metrics(0, [10], { loss: [1] }),
  metrics(0, [20], { loss: [1] }),
  metrics(0, [30], { loss: [1] }),
  { type: "finished", summary },
] as never);

let server: FakeServer;

function follow(status: "queued" | "running" = "running"): Following {
  return new Following({ id: "a", spec: spec(), status, position: 2, changeable: true });
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a followed run", () => {
  it("waits in the queue, goes on and ends", () => {
    const following = follow("queued");
    const stream = server.stream("a");
    const seen: unknown[] = [];
    const stop = effect(() => {
      seen.push(following.state.value);
    });
    stream.onopen?.();
    stream.send("queue", { position: 1 });
    stream.say(...EVENTS);
    stop();
    expect(seen).toEqual([
      { kind: "queued", place: 2 },
      { kind: "queued", place: 1 },
      { kind: "following" },
      { kind: "ended" },
    ]);
    expect(following.log.value.status).toBe("finished");
    expect(stream.closed).toBe(true);
  });

  it("makes logs at most ten times a second, and at once of its beginning and end", () => {
    const following = follow();
    const stream = server.stream("a");
    const heads: number[] = [];
    const stop = effect(() => {
      heads.push(following.log.value.head);
    });
    stream.say(...EVENTS.slice(0, 3));
    vi.advanceTimersByTime(99);
    expect(heads).toEqual([0, 0]);
    vi.advanceTimersByTime(1);
    expect(heads).toEqual([0, 0, 20]);
    stream.say(...EVENTS.slice(3));
    expect(heads).toEqual([0, 0, 20, 30]);
    stop();
  });

  it("asks again from the last event after a gap, and after a lost connection", () => {
    const following = follow();
    server.stream("a").say(EVENTS[0] as never, EVENTS[2] as never);
    expect(following.state.value).toEqual({ kind: "lost", retryIn: 0.5 });
    following.retry();
    const stream = server.stream("a");
    expect(stream.address).toBe("api/runs/a/events?after=1");
    stream.onopen?.();
    expect(following.state.value).toEqual({ kind: "following" });
    stream.say(...EVENTS);
    expect(following.log.value.head).toBe(30);
  });

  it("says when it has reached a step, with the log that has it", async () => {
    const following = follow();
    const stream = server.stream("a");
    const reached = vi.fn();
    const waiting = following.reached(20, new AbortController().signal).then(reached);
    stream.say(...EVENTS.slice(0, 2));
    await Promise.resolve();
    expect(reached).not.toHaveBeenCalled();
    stream.say(EVENTS[2] as never);
    expect(following.log.value.head).toBe(20);
    await waiting;
    await following.reached(20, new AbortController().signal);
  });

  it("lets go of who waits no more, and of all where the server has it no more", async () => {
    const following = follow();
    const stop = new AbortController();
    const waiting = following.reached(20, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow("abort");
    const other = following.reached(20, new AbortController().signal);
    const gone = expect(other).rejects.toThrow("removed");
    server.stream("a").onerror?.();
    await vi.advanceTimersByTimeAsync(600); // asks whether the run is there: it is not
    await gone;
    expect(following.state.value).toEqual({ kind: "gone" });
  });
});
