import { describe, expect, it } from "vitest";
import { evaluation, logOf, metrics, numbered, spec, started } from "../../tests/logs";
import type { RunEvent } from "../api/types";
import { applyEvent, hasEnded, newLog } from "./log";

const summary = { arms: [], step: 40, seconds: 2, primary_metric: "exact_match" };

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

describe("applyEvent", () => {
  it("reduces a run to columns", () => {
    const log = newLog("a");
    expect(log.status).toBe("loading");
    for (const event of events) expect(applyEvent(log, event)).toBe("applied");
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
    const once = newLog("a");
    for (const event of events) applyEvent(once, event);
    for (let cut = 1; cut < events.length; cut++) {
      const log = newLog("a");
      for (const event of events.slice(0, cut)) applyEvent(log, event);
      for (const event of events.slice(0, cut)) expect(applyEvent(log, event)).toBe("duplicate");
      for (const event of events.slice(cut)) applyEvent(log, event);
      expect(log).toEqual(once);
    }
  });

  it("refuses an event that has others missing before it", () => {
    const log = newLog("a");
    applyEvent(log, events[0] as RunEvent);
    expect(applyEvent(log, events[3] as RunEvent)).toBe("gap");
    expect(log.seq).toBe(1);
    expect(log.arms[1]?.steps.length).toBe(0);
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

  it("passes over a type it does not know", () => {
    const log = newLog("a");
    applyEvent(log, events[0] as RunEvent);
    expect(applyEvent(log, { type: "novelty", seq: 2 } as never)).toBe("applied");
    expect(log.seq).toBe(2);
  });
});
