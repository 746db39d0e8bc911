import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { metrics, numbered, started } from "../../tests/logs";
import { FakeServer } from "../../tests/server";
import { type Answer, Hub, line } from "./hub";

const EVENTS = numbered([
  started(),
  metrics(0, [10], { loss: [1] }),
  metrics(0, [20], { loss: [1] }),
  { type: "cancelled", summary: null },
]);

let server: FakeServer;
let hub: Hub;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  hub = new Hub();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A tab that follows a run, and all that it hears. */
function tab(id: string, after = 0) {
  const [port, other] = line();
  hub.connect(other);
  const heard: Answer[] = [];
  port.onmessage = ({ data }) => heard.push(data as Answer);
  port.postMessage({ kind: "follow", address: `api/runs/${id}`, keepalive: 10, after });
  const numbers = () => heard.flatMap((one) => (one.kind === "message" ? [one.message.seq] : []));
  const states = () => heard.flatMap((one) => (one.kind === "connection" ? [one.connection] : []));
  return { port, numbers, states };
}

function open() {
  return server.streams.filter(({ closed }) => !closed);
}

describe("the hub of a browser's tabs", () => {
  it("holds one stream for all tabs of a run, each with all events once", () => {
    const first = tab("a");
    server.stream("a").say(...EVENTS.slice(0, 2));
    const second = tab("a");
    server.stream("a").say(...EVENTS.slice(0, 3));
    const third = tab("a", 3);
    expect(open().map(({ address }) => address)).toEqual(["api/runs/a/events?after=0"]);
    server.stream("a").say(...EVENTS.slice(3));
    expect([first.numbers(), second.numbers()]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    expect(third.numbers()).toEqual([4]);
    expect(third.states()).toEqual(["connecting", "closed"]);
    expect(open()).toEqual([]);
  });

  it("closes a stream when the last tab leaves, and not before", () => {
    const first = tab("a");
    const second = tab("a");
    first.port.postMessage({ kind: "leave" });
    expect(open().length).toBe(1);
    second.port.postMessage({ kind: "leave" });
    expect(open()).toEqual([]);
  });

  it("leaves connections free where many runs are followed, and forgets none of them", () => {
    const tabs = [..."abcdefg"].map((id) => tab(id));
    expect(open().length).toBe(4);
    const given = new Set<string>();
    for (let turn = 0; turn < 7; turn++) {
      for (const stream of open()) {
        const id = stream.address.split("/")[2] as string;
        const after = Number(stream.address.split("=")[1]);
        if (!given.has(id)) expect(after).toBe(0);
        if (!given.has(id)) stream.say(...EVENTS.slice(0, 1));
        given.add(id);
      }
      vi.advanceTimersByTime(3000);
      expect(open().length).toBe(4);
    }
    expect(tabs.map(({ numbers }) => numbers())).toEqual(tabs.map(() => [1]));
    expect(open().every(({ address }) => address.endsWith("after=1"))).toBe(true);
  });
});

describe("a stream that falls silent without closing", () => {
  it("is lost within 30 seconds, and goes on from the last event", async () => {
    server.answer("GET api/runs/a", {});
    const { states } = tab("a");
    const dead = server.stream("a");
    dead.onopen?.();
    dead.say(...EVENTS.slice(0, 2));
    await vi.advanceTimersByTimeAsync(24_000);
    expect(states().at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(2000);
    expect(states().at(-1)).toBe("lost");
    expect(dead.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(open().map(({ address }) => address)).toEqual(["api/runs/a/events?after=2"]);
  });

  it("is no silence while pings come", async () => {
    const { states } = tab("a");
    server.stream("a").onopen?.();
    for (let ping = 0; ping < 9; ping++) {
      await vi.advanceTimersByTimeAsync(10_000);
      server.stream("a").send("ping", {});
    }
    expect(states().at(-1)).toBe("live");
  });

  it("is replaced at once when someone looks after a sleep, and only then", () => {
    const { port } = tab("a");
    server.stream("a").say(...EVENTS.slice(0, 1));
    port.postMessage({ kind: "look" });
    expect(server.streams.length).toBe(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    port.postMessage({ kind: "look" });
    expect(open().map(({ address }) => address)).toEqual(["api/runs/a/events?after=1"]);
  });
});
