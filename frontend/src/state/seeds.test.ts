import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { metrics, numbered, spec, started } from "../../tests/logs";
import { FakeServer } from "../../tests/server";
import { draft } from "./draft";
import { leaveSeeds, openSeeds, otherSeeds, seedsDone, showsSeeds, trainSeeds } from "./seeds";
import { leave, open } from "./session";
import { runId, seedRuns } from "./signals";

const SPEC = spec();
let server: FakeServer;

function detail(id: string, of = SPEC) {
  const ended = "2026-01-01T00:00:00Z";
  return {
    id,
    status: "running",
    position: null,
    reused: true,
    spec: of,
    ended,
    step: 0,
    parent: null,
  };
}

/** All that a run with this spec says, until it has finished or was stopped. */
function said(of: typeof SPEC, type: "finished" | "cancelled") {
  const summary = { steps: 100, step: 100, seconds: 1, primary_metric: "exact_match", arms: [] };
  return numbered([started(of), metrics(0, [50], { loss: [1] }), { type, summary }] as never);
}

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  draft.value = SPEC;
  server.answer("GET api/runs/a", detail("a"));
  await open("a", 0);
});

afterEach(() => {
  leave();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("other seeds", () => {
  it("follow the run's own, and nothing else differs", () => {
    const others = otherSeeds(spec({ seed: 7 }));
    expect(others.map(({ seed }) => seed)).toEqual([8, 9, 10, 11]);
    expect(others.map((other) => ({ ...other, seed: 0 }))).toEqual([SPEC, SPEC, SPEC, SPEC]);
  });

  it("lead to the last seed where none follow", () => {
    const last = Number.MAX_SAFE_INTEGER;
    const others = otherSeeds(spec({ seed: last }));
    expect(others.map(({ seed }) => last - seed)).toEqual([4, 3, 2, 1]);
  });
});

describe("a run over seeds", () => {
  it("asks for each seed, counts what has finished, and is left", async () => {
    server.answer("POST api/runs", { id: "b", status: "queued", position: 1, reused: false });
    await trainSeeds();
    expect(server.asked.filter((asked) => asked.startsWith("POST"))).toHaveLength(4);
    expect([showsSeeds.value, seedsDone.value.length]).toEqual([true, 0]);
    const stream = server.stream("b");
    stream.say(...said(spec({ seed: 4 }), "finished"));
    expect(seedsDone.value).toHaveLength(4); // all four are "b" to this server
    leaveSeeds();
    expect([showsSeeds.value, seedsDone.value.length, runId.value]).toEqual([false, 0, "a"]);
    expect(stream.closed).toBe(true);
  });

  it("is of no use with what was stopped, and forgotten with the run", async () => {
    server.answer("GET api/runs/b", detail("b", spec({ seed: 1 })));
    await openSeeds(["b"]);
    server.stream("b").say(...said(spec({ seed: 1 }), "cancelled"));
    expect([showsSeeds.value, seedsDone.value.length]).toEqual([true, 0]);
    leave();
    expect(showsSeeds.value).toBe(false);
  });

  it("takes from a link what is there and is the same but for its seed", async () => {
    server.answer("GET api/runs/b", detail("b", spec({ seed: 1 })));
    server.answer("GET api/runs/c", detail("c", spec({ seed: 2, steps: 200 })));
    await openSeeds(["b", "c", "gone"]);
    expect(seedRuns.value.map(({ log }) => log.value.id)).toEqual(["b"]);
    expect(server.asked.filter((asked) => asked.startsWith("POST"))).toEqual([]);
  });
});
