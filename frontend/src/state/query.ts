/** A question to the server whose answer follows what it is made of; the newest question wins. */

import { type ReadonlySignal, type Signal, signal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ApiError, send } from "../api/client";
import { asksNobody } from "../api/kept";

export type QueryState =
  /** Nothing is asked. */
  | { kind: "idle" }
  /** Waits, since the question may change. `problem`: of the one before, until an answer comes. */
  | { kind: "settling"; problem: string | null }
  /** The server computes the answer. */
  | { kind: "asking"; problem: string | null }
  | { kind: "answered" }
  /** `lost`: the server did not answer. The question is asked again until it does. */
  | { kind: "failed"; problem: string; lost: boolean };

export interface Query<A> {
  /** The last that was answered, or of an answer that comes in parts; null: nothing yet. */
  answer: ReadonlySignal<A | null>;
  /** Unless it is `answered`, the answer is that to an earlier question, or not all of it. */
  state: ReadonlySignal<QueryState>;
}

/** Asks, and hands on the answer, once or in parts, as it comes. */
export type Ask<Q, A> = (
  question: Q,
  signal: AbortSignal,
  receive: (answer: A) => void,
) => Promise<void>;

/** Waits so long for further changes, so that a slider asks once. */
const SETTLE_MS = 120;
/** Waits so long before a server that did not answer is asked again. */
const AGAIN_MS = 3000;

/**
 * Asks the server whenever `question` changes; null asks nothing. A new question aborts the one
 * before, and so does the end of the component that asked. An answer stays until the next one comes,
 * or until `about` changes.
 */
export function useQuery<Q, A>(
  question: ReadonlySignal<Q | null>,
  ask: Ask<Q, A>,
  about?: ReadonlySignal<unknown>,
): Query<A> {
  const query = useMemo(
    () => ({ answer: signal<A | null>(null), state: signal<QueryState>({ kind: "idle" }) }),
    [],
  );
  useSignalEffect(() => {
    about?.value;
    query.answer.value = null;
  });
  useSignalEffect(() => follow(question.value, ask, query));
  return query;
}

/** Asks one question; returns how to give it up. */
export function follow<Q, A>(
  question: Q | null,
  ask: Ask<Q, A>,
  { answer, state }: { answer: Signal<A | null>; state: Signal<QueryState> },
): (() => void) | undefined {
  if (question === null) {
    state.value = { kind: "idle" };
    return undefined;
  }
  const problem = problemOf(state.peek());
  state.value = { kind: "settling", problem };
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    state.value = { kind: "asking", problem: problemOf(state.peek()) };
    try {
      await ask(question, stop.signal, (part) => {
        if (!stop.signal.aborted) answer.value = part;
      });
      if (!stop.signal.aborted) state.value = { kind: "answered" };
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      const lost = error.status === 0 && !asksNobody();
      // Without its full stop: it is said within other sentences.
      state.value = { kind: "failed", problem: error.message.replace(/\.$/, ""), lost };
      if (lost) timer = setTimeout(() => void run(), AGAIN_MS);
    }
  };
  let timer = setTimeout(() => void run(), SETTLE_MS);
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}

/** Asks by posting the question to an address. */
export function posted<Q extends object, A>(path: string): Ask<Q, A> {
  return async (question, signal, receive) => {
    receive(await send<A>("POST", path, question, signal));
  };
}

/** Why there is no answer, in words; null: there is one, or it is on its way. */
export function problemOf(state: QueryState): string | null {
  return "problem" in state ? state.problem : null;
}

function isBusy({ kind }: QueryState): boolean {
  return kind === "settling" || kind === "asking";
}

/** Attributes of what shows an answer: it is pale while it is not that to the question. */
export function freshness({ state }: Query<unknown>) {
  return { "aria-busy": isBusy(state.value), "data-stale": state.value.kind !== "answered" };
}

/** What stands in an empty picture's place until the first answer. */
export function waitingWords({ state }: Query<unknown>): string {
  return isBusy(state.value) ? "Computing…" : "";
}
