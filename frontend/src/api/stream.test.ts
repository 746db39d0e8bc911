import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { line, type Port } from "./hub";
import { RunStream, shareStreams } from "./stream";

let asked: string[];
let page: EventTarget & { hidden: boolean; baseURI: string };
let browser: EventTarget;
let stream: RunStream;

function start(): void {
  stream = new RunStream("a", 10, {
    onEvent: () => "applied",
    onPosition: () => {},
    onConnection: () => {},
    after: () => 0,
  });
  stream.start();
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  page = Object.assign(new EventTarget(), { hidden: false, baseURI: "http://lab/" });
  browser = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", browser.addEventListener.bind(browser));
  shareStreams((): Port => {
    const [here, hub] = line();
    hub.onmessage = ({ data }) => asked.push((data as { kind: string }).kind);
    return here;
  });
  start();
  asked.length = 0;
});

afterEach(() => {
  stream.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a page that was away", () => {
  it("looks at once when it is seen again, and not when it is hidden", () => {
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(asked).toEqual([]);
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(asked).toEqual(["look"]);
  });

  it("asks again when the browser brings it back from its cache", () => {
    browser.dispatchEvent(new Event("pagehide"));
    expect(asked).toEqual(["leave"]);
    browser.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    expect(asked).toEqual(["leave"]);
    browser.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    expect(asked).toEqual(["leave", "follow"]);
  });

  it("hears no more of either once it is closed", () => {
    stream.close();
    asked.length = 0;
    page.dispatchEvent(new Event("visibilitychange"));
    browser.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    expect(asked).toEqual([]);
  });
});

describe("a hub that says nothing", () => {
  /** What a hub is asked in so many seconds that answers some of the questions. */
  function silent(seconds: number, answers: (asked: number) => boolean): string[] {
    stream.close();
    asked.length = 0;
    let questions = 0;
    shareStreams((): Port => {
      const [here, hub] = line();
      hub.onmessage = ({ data }) => {
        const { kind } = data as { kind: string };
        asked.push(kind);
        const isFirst = kind === "follow";
        if (isFirst || (kind === "ask" && answers(++questions))) hub.postMessage({ kind: "alive" });
      };
      return here;
    });
    start();
    vi.advanceTimersByTime(seconds * 1000);
    return asked;
  }

  it("is asked, and kept where it answers", () => {
    // Silent for 40 s, it is asked, and answers every second question.
    expect(silent(300, (question) => question % 2 === 0)).not.toContain("leave");
    expect(asked.filter((kind) => kind === "ask").length).toBeGreaterThan(3);
  });

  it("is left after questions without an answer, and not by the clock alone", () => {
    vi.stubGlobal(
      "EventSource",
      class extends EventTarget {
        close() {}
      },
    );
    silent(0, () => false);
    vi.setSystemTime(Date.now() + 3_600_000); // a sleep
    vi.advanceTimersByTime(3000);
    expect(asked).toEqual(["follow", "ask", "ask", "ask"]);
    vi.advanceTimersByTime(1000);
    expect(asked.at(-1)).toBe("leave");
  });
});
