import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { logOf, metrics, started } from "../../tests/logs";
import { goTo, pause, seek, startClock } from "./clock";
import { cursor, showLog, source } from "./signals";

const upTo = (step: number) => logOf([started(), metrics(0, [step], { loss: [1] })]);
let stop = () => {};

describe("a step that the log has not reached", () => {
  beforeEach(() => {
    vi.stubGlobal("cancelAnimationFrame", () => {}); // nothing plays here
    showLog(upTo(5));
    stop = startClock();
  });
  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
    source.value = null;
  });

  it("is gone to once it is there", () => {
    goTo(12);
    expect(cursor.value).toBe(5);
    showLog(upTo(9));
    expect(cursor.value).toBe(9);
    showLog(upTo(40));
    expect(cursor.value).toBe(12);
    showLog(upTo(60));
    expect(cursor.value).toBe(12);
  });

  it("is left to itself where the reader goes elsewhere, or rests", () => {
    goTo(12);
    seek(3);
    showLog(upTo(40));
    expect(cursor.value).toBe(3);
    goTo(50);
    pause();
    showLog(upTo(60));
    expect(cursor.value).toBe(40);
  });
});
