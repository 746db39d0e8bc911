import { describe, expect, it } from "vitest";
import { evaluation, logOf, metrics, numbered, spec, started } from "../../tests/logs";
import type { RunEvent } from "../api/types";
import { hasEnded, type RunLog } from "./log";
import { RunStore } from "./store";

const summary = { arms: [], step: 40, seconds: 2, primary_metric: "exact_match" };

/** A log with its columns as lists. */
function plain(log: RunLog) {
  const arms = log.arms.map((arm) => ({
    ...arm,
    steps: [...arm.steps.values],
    metrics: Object.entries(arm.metrics).map(([name, { values }]) => [name, ...values]),
  }));
  return { ...log, arms };
}

const events = numbered([
  started(),
  evaluation(0, 0, { exact_match: 0.1, exact_match_se: 0.01 }),
  metrics(0, [1, 2], { loss: [0.5, null] }),
  metrics(1, [1, 2], { loss: [0.5, 0.4] }),
  metrics(0, [3], { loss: [0.3], cosine: [1] }),
  { type: "spike", arm: 0, step: 3, norm: null, median: 0.2 },
  { type: "changed", arm: 1, step: 3, tikhonov: 0.5, lr: null },
  { type: "diverged", arm: 0, step: 4, reason: "the loss is NaN" },
  { type: "finished", summary },
] as never);

describe("RunStore", () => {
  it("reduces a run to columns", () => {
    const store = new RunStore("a");
    expect(store.log.status).toBe("loading");
    for (const event of events) expect(store.apply(event)).toBe("applied");
    const { log } = store;
    const [first, second] = log.arms;
    expect(Array.from(first?.steps.values ?? [])).toEqual([1, 2, 3]);
    expect(Array.from(first?.metrics.loss?.values ?? [])).toEqual([0.5, Number.NaN, 0.3]);
    expect(Array.from(first?.metrics.cosine?.values ?? [])).toEqual([Number.NaN, Number.NaN, 1]);
    expect(first?.evaluations).toEqual([
      { step: 0, values: { exact_match: 0.1, exact_match_se: 0.01 } },
    ]);
    expect(first?.spikes).toEqual([{ step: 3, norm: Number.NaN, median: 0.2 }]);
    expect(first?.diverged).toEqual({ step: 4, reason: "the loss is NaN" });
    expect(second?.changes).toEqual([{ step: 3, tikhonov: 0.5, lr: null }]);
    expect(log.status).toBe("finished");
    expect(log.summary).toEqual(summary);
    expect(log.head).toBe(40);
    expect(hasEnded(log)).toBe(true);
  });

  it("gives the same log whatever is repeated after a reconnect", () => {
    const once = new RunStore("a");
    for (const event of events) once.apply(event);
    for (let cut = 1; cut < events.length; cut++) {
      const store = new RunStore("a");
      for (const event of events.slice(0, cut)) store.apply(event);
      for (const event of events.slice(0, cut)) expect(store.apply(event)).toBe("duplicate");
      for (const event of events.slice(cut)) store.apply(event);
      expect(store.log).toEqual(once.log);
    }
  });

  it("refuses an event that has others missing before it", () => {
    const store = new RunStore("a");
    store.apply(events[0] as RunEvent);
    expect(store.apply(events[3] as RunEvent)).toBe("gap");
    expect(store.seq).toBe(1);
    expect(store.log.arms[1]?.steps.length).toBe(0);
  });

  it("follows the head of whichever arm is furthest", () => {
    const log = logOf([started(spec()), metrics(0, [1, 2, 3], { loss: [1, 1, 1] })]);
    expect(log.head).toBe(3);
    expect(log.status).toBe("running");
  });

  it("keeps why a run failed", () => {
    const log = logOf([started(), { type: "failed", error: "the worker was killed" }]);
    expect(log.status).toBe("failed");
    expect(log.error).toBe("the worker was killed");
  });

  it("keeps what may be wrong with the data, of which earlier versions said nothing", () => {
    const older = { ...started(), warnings: undefined };
    expect(logOf([older as never]).warnings).toEqual([]);
    const warnings = ["2 of 3 images show nothing"];
    expect(logOf([started(spec(), warnings)]).warnings).toEqual(warnings);
  });

  it("passes over a type it does not know", () => {
    const store = new RunStore("a");
    store.apply(events[0] as RunEvent);
    expect(store.apply({ type: "novelty", seq: 2 } as never)).toBe("applied");
    expect(store.log.seq).toBe(2);
  });

  it("gives logs that never change, whatever comes after", () => {
    const store = new RunStore("a");
    const logs = events.map((event) => {
      store.apply(event);
      return { log: store.log, text: JSON.stringify(plain(store.log)) };
    });
    // More values than a buffer has room for at first: it moves, and no log notices.
    for (let step = 4; step < 2000; step++) {
      const [more] = numbered([metrics(0, [step], { loss: [step] })]);
      store.apply({ ...more, seq: store.seq + 1 } as RunEvent);
    }
    for (const { log, text } of logs) expect(JSON.stringify(plain(log))).toBe(text);
    expect(store.log.arms[0]?.steps.length).toBe(1999);
  });

  it("gives the same log, arms and lists again where nothing has come to them", () => {
    const store = new RunStore("a");
    for (const event of events.slice(0, 4)) store.apply(event);
    const before = store.log;
    expect(store.log).toBe(before);
    store.apply(events[4] as RunEvent);
    expect(store.log).not.toBe(before);
    expect(store.log.arms[1]).toBe(before.arms[1]);
    expect(store.log.arms[0]?.evaluations).toBe(before.arms[0]?.evaluations);
  });

  it("knows how far a run has come, or that it comes no further", () => {
    const store = new RunStore("a");
    expect(store.hasReached(0)).toBe(false);
    for (const event of events.slice(0, 5)) store.apply(event);
    expect([store.hasReached(3), store.hasReached(4)]).toEqual([true, false]);
    for (const event of events.slice(5)) store.apply(event);
    expect(store.hasReached(1000)).toBe(true);
  });
});
