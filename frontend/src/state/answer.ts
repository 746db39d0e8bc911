/** A question to the server whose answer follows what it is made of; the newest one wins. */

import { batch, type ReadonlySignal, type Signal, signal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ApiError, request } from "../api/client";

export interface Answer<T> {
  value: Signal<T | null>;
  /** Why there is none, in words. */
  problem: Signal<string | null>;
  asking: Signal<boolean>;
  /** What there is answers an earlier question. */
  isStale: Signal<boolean>;
}

/** Waits so long for further changes, so that a slider asks once. */
const SETTLE_MS = 120;

export function useAnswer<T>(path: string, query: ReadonlySignal<object | null>): Answer<T> {
  const answer = useMemo<Answer<T>>(
    () => ({
      value: signal(null),
      problem: signal(null),
      asking: signal(false),
      isStale: signal(false),
    }),
    [],
  );
  useSignalEffect(() => {
    const body = query.value;
    batch(() => {
      answer.asking.value = body !== null;
      answer.isStale.value = true;
      if (body === null) answer.problem.value = null;
    });
    if (body === null) return;
    const stop = new AbortController();
    const ask = async (): Promise<void> => {
      try {
        const init = {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
          signal: stop.signal,
        };
        answer.value.value = await request<T>(path, init);
        answer.problem.value = null;
        answer.isStale.value = false;
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        answer.problem.value = error.message;
      }
      answer.asking.value = false;
    };
    const timer = setTimeout(() => void ask(), SETTLE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });
  return answer;
}

/** Attributes of what shows an answer: it is pale while it is not that to the question. */
export function freshness({ asking, isStale }: Answer<unknown>) {
  return { "aria-busy": asking.value, "data-stale": isStale.value };
}

/** What stands in an empty picture's place until the first answer. */
export function waitingWords({ asking }: Answer<unknown>): string {
  return asking.value ? "Computing…" : "";
}
