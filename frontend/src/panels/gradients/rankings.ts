/** The ranking runs of the server, and the log of the one whose scores are taken. */

import { type ReadonlySignal, useComputed } from "@preact/signals";
import { request } from "../../api/client";
import type { RunInfo, RunPage } from "../../api/types";
import type { RunLog } from "../../state/log";
import { type Ask, problemOf, useQuery } from "../../state/query";
import { wholeLog } from "../../state/session";
import { run, runId } from "../../state/signals";

/** The newest runs that are offered. */
const OFFERED = 50;

export interface RankingRuns {
  /** Those that have begun, the newest first. */
  list: ReadonlySignal<readonly RunInfo[]>;
  /** The chosen run's log, once it is here; the one on the page goes on growing. */
  chosen: ReadonlySignal<{ log: RunLog | null; problem: string | null }>;
}

const askList: Ask<string, readonly RunInfo[]> = async (path, signal, receive) => {
  const { items } = await request<RunPage>(path, { signal });
  receive(items.filter((item) => item.task === "ranking" && item.step > 0));
};

const askLog: Ask<string, RunLog> = async (id, signal, receive) => {
  receive(await wholeLog(id, signal));
};

/** `id`: the chosen run's; empty for none. */
export function useRankingRuns(id: ReadonlySignal<string>): RankingRuns {
  const path = useComputed(() => `api/runs?limit=${OFFERED}`);
  const offered = useQuery(path, askList);
  const isShown = useComputed(() => id.value !== "" && id.value === runId.value);
  const missing = useComputed(() => (id.value === "" || isShown.value ? null : id.value));
  const fetched = useQuery(missing, askLog, missing);
  const list = useComputed(() => offered.answer.value ?? []);
  const chosen = useComputed(() => {
    if (isShown.value) return { log: run.value, problem: null };
    const problem = problemOf(fetched.state.value) ?? problemOf(offered.state.value);
    return { log: fetched.answer.value, problem };
  });
  return { list, chosen };
}
