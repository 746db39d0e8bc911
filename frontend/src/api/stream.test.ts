import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { line, type Port } from "./hub";
import { RunStream, shareStreams } from "./stream";

let asked: string[];
let page: EventTarget & { hidden: boolean; baseURI: string };
let browser: EventTarget;
let stream: RunStream;

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
  stream = new RunStream("a", 10, {
    onEvent: () => "applied",
    onPosition: () => {},
    onConnection: () => {},
    after: () => 0,
  });
  stream.start();
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
