import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { metrics, numbered, spec, started } from "../../tests/logs";
import { FakeServer } from "../../tests/server";
import type { Spec } from "../api/types";
import { playing } from "./clock";
import { draft, problems } from "./draft";
import { failure } from "./failure";
import { isDiscarded, isStarting, leave, open, session, start } from "./session";
import { cursor, ghost, run, runId } from "./signals";
import { ask, asking } from "./whatIf";

const SPEC = spec();
const half = (changes: Spec["changes"]) =>
  numbered([started(spec({ changes })), metrics(0, [50], { loss: [1] })] as never);
const HALF = half([]);

function submitted(id: string, settings: object = {}) {
  return { id, status: "running", position: null, reused: false, ...settings };
}

function detail(id: string, settings: object = {}) {
  return { ...submitted(id), spec: SPEC, ended: null, step: 50, parent: null, ...settings };
}

let server: FakeServer;

/** Lets every answer that is on its way arrive, and so much time pass. */
const settle = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

async function opened(id: string): Promise<void> {
  server.answer(`GET api/runs/${id}`, detail(id));
  await open(id, 40);
  server.stream(id).say(...HALF);
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  draft.value = SPEC;
});

afterEach(() => {
  leave();
  problems.value = [];
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a session", () => {
  it("is idle, starts a run, follows it, and is idle once it is left", async () => {
    server.answer("POST api/runs", submitted("a"));
    expect(session.value).toEqual({ kind: "idle" });
    const starting = start();
    expect(isStarting.value).toBe(true);
    await starting;
    expect(session.value).toEqual({ kind: "following" });
    expect([runId.value, playing.value]).toEqual(["a", true]);
    leave();
    expect(session.value).toEqual({ kind: "idle" });
    expect(run.value).toBeNull();
    expect(server.stream("a").closed).toBe(true);
  });

  it("waits in the queue, for the place that the server names", async () => {
    server.answer("POST api/runs", submitted("a", { status: "queued", position: 3 }));
    await start();
    expect(session.value).toEqual({ kind: "queued", place: 3 });
  });

  it("keeps the run on the page where another cannot be opened, and can be told to try again", async () => {
    await opened("a");
    expect(await open("missing", null)).toBe(false);
    expect(failure.value?.message).toBe("no such thing");
    expect(session.value).toEqual({ kind: "following" });
    expect(runId.value).toBe("a");
    server.answer("GET api/runs/missing", detail("missing"));
    failure.value?.retry?.();
    await settle();
    expect(runId.value).toBe("missing");
    expect(failure.value).toBeNull();
  });

  it("drops the answer to what another task has overtaken", async () => {
    server.answer("GET api/runs/a", detail("a"));
    server.answer("GET api/runs/b", detail("b"));
    const [first, second] = [open("a", null), open("b", null)];
    expect(await first).toBe(false);
    expect(await second).toBe(true);
    expect(runId.value).toBe("b");
    expect(failure.value).toBeNull();
    expect(server.streams.length).toBe(1);
  });
});

describe("a what-if", () => {
  it("shows its curves once they have reached the step, over those without it", async () => {
    await opened("a");
    server.answer("POST api/runs?from=a", submitted("fork"));
    ask(1, 40, "tikhonov", 5);
    expect(asking.value).toEqual({ arm: 1, step: 40, setting: { tikhonov: 5 } });
    await settle(300);
    expect([session.value.kind, runId.value]).toEqual(["asking", "a"]);
    server.stream("fork").say(...HALF);
    await settle();
    expect([session.value.kind, runId.value]).toEqual(["following", "fork"]);
    expect([ghost.value?.id, cursor.value, playing.value]).toEqual(["a", 40, true]);
    expect(server.stream("a").closed).toBe(true);
  });

  it("is asked once, with the last of many values, and the forks before it are stopped", async () => {
    await opened("a");
    server.answer("POST api/runs?from=a", submitted("fork"));
    for (const value of [1, 2]) ask(1, 40, "tikhonov", value);
    await settle(300);
    const count = () => server.asked.filter((asked) => asked.startsWith("POST api/runs?")).length;
    expect(count()).toBe(1);
    ask(1, 40, "tikhonov", 3);
    await settle(300);
    expect(count()).toBe(2);
    expect(server.asked).toContain("POST api/runs/fork/stop?discard=true");
    expect(server.streams.filter(({ closed }) => !closed).length).toBe(2);
  });

  it("is removed only once another one is on the page in its place", async () => {
    await opened("a");
    server.answer("POST api/runs?from=a", submitted("first"));
    ask(1, 40, "tikhonov", 5);
    await settle(300);
    server.stream("first").say(...half([{ step: 40, arm: 1, tikhonov: 5, lr: null }]));
    await settle();
    expect(runId.value).toBe("first");
    // A page that shows a run asks about it: it is stopped, and stays as long as it is shown.
    for (const id of ["overtaken", "second"]) {
      server.answer("POST api/runs?from=a", submitted(id));
      ask(1, 40, "tikhonov", id.length);
      await settle(300);
      expect(runId.value).toBe("first");
    }
    const discards = () => server.asked.filter((asked) => asked.includes("discard"));
    expect(server.asked).toContain("POST api/runs/first/stop?ended_ok=true");
    expect(discards()).toEqual(["POST api/runs/overtaken/stop?discard=true"]);
    server.stream("first").say({ type: "cancelled", seq: 3, summary: null } as never);
    server.stream("second").say(...HALF);
    await settle();
    expect([runId.value, ghost.value?.id]).toEqual(["second", "a"]);
    expect(discards().at(-1)).toBe("POST api/runs/first/stop?discard=true");
    expect(["first", "second", "a"].map(isDiscarded)).toEqual([true, false, false]);
  });

  it("with the setting that the run has already shows that run", async () => {
    await opened("a");
    server.answer("POST api/runs?from=a", submitted("a", { reused: true }));
    ask(1, 40, "tikhonov", 0.1);
    await settle(300);
    expect([session.value.kind, runId.value, playing.value]).toEqual(["following", "a", true]);
    expect(ghost.value).toBeNull();
    expect(server.streams.length).toBe(1);
  });

  it("that is refused leaves the run as it was", async () => {
    await opened("a");
    server.answer("POST api/runs?from=a", 503);
    ask(0, 40, "lr", 1);
    await settle(300);
    expect(failure.value).toEqual({ message: "refused", retry: null });
    expect([session.value.kind, runId.value, ghost.value]).toEqual(["following", "a", null]);
    expect(server.stream("a").closed).toBe(false);
  });
});
