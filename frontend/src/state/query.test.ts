import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { type Ask, follow, type QueryState } from "./query";

const answer = signal<string | null>(null);
const state = signal<QueryState>({ kind: "idle" });
const query = { answer, state };

beforeEach(() => {
  vi.useFakeTimers();
  answer.value = null;
  state.value = { kind: "idle" };
});

afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(500);

describe("a question", () => {
  it("is asked once it rests, and answered in parts", async () => {
    const seen: unknown[] = [];
    const ask: Ask<string, string> = async (question, _signal, receive) => {
      receive(`${question} one`);
      seen.push([answer.value, state.value.kind]);
      receive(`${question} two`);
    };
    const stop = follow("first", ask, query);
    stop?.();
    follow("second", ask, query);
    expect(state.value).toEqual({ kind: "settling", problem: null });
    await settle();
    expect(seen).toEqual([["second one", "asking"]]);
    expect([answer.value, state.value]).toEqual(["second two", { kind: "answered" }]);
    follow(null, ask, query);
    expect([answer.value, state.value]).toEqual(["second two", { kind: "idle" }]);
  });

  it("that is overtaken changes nothing any more, whether it is answered or fails", async () => {
    let end = (_error?: Error) => {};
    const ask: Ask<string, string> = (question, _signal, receive) =>
      new Promise((resolve, reject) => {
        end = (error) => {
          receive(question);
          if (error === undefined) resolve();
          else reject(error);
        };
      });
    for (const error of [undefined, new ApiError("late", 500)]) {
      const stop = follow("first", ask, query);
      await settle();
      stop?.();
      end(error);
      await settle();
      expect([answer.value, state.value.kind]).toEqual([null, "asking"]);
    }
  });

  it("keeps its problem while the next is asked", async () => {
    const refuse = () => Promise.reject(new ApiError("refused", 422));
    follow("first", refuse, query);
    await settle();
    expect(state.value).toEqual({ kind: "failed", problem: "refused", lost: false });
    follow("second", async (_question, _signal, receive) => receive("yes"), query);
    expect(state.value).toEqual({ kind: "settling", problem: "refused" });
    await settle();
    expect(state.value).toEqual({ kind: "answered" });
  });

  it("that no server answers is asked again until one does", async () => {
    let answers = 0;
    const ask: Ask<string, string> = async (_question, _signal, receive) => {
      answers += 1;
      if (answers < 3) throw new ApiError("nobody.", 0);
      receive("here");
    };
    follow("first", ask, query);
    await settle();
    expect(state.value).toEqual({ kind: "failed", problem: "nobody", lost: true });
    await vi.advanceTimersByTimeAsync(7000);
    expect([answer.value, state.value]).toEqual(["here", { kind: "answered" }]);
    expect(answers).toBe(3);
  });

  it("that is given up is not asked again", async () => {
    let asked = 0;
    const stop = follow(
      "first",
      async () => {
        asked += 1;
        throw new ApiError("nobody", 0);
      },
      query,
    );
    await settle();
    stop?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(1);
  });
});
