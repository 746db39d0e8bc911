/** The ranking runs of the server, and the log of the one whose scores are taken. */

import { computed, type ReadonlySignal, signal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, request } from "../../api/client";
import type { RunInfo, RunPage } from "../../api/types";
import type { RunLog } from "../../state/log";
import { wholeLog } from "../../state/session";
import { runId, run as shown } from "../../state/signals";

/** The newest runs that are offered. */
const OFFERED = 50;

interface Chosen {
  log: RunLog | null;
  problem: string | null;
}

export interface RankingRuns {
  /** Those that have begun, the newest first. */
  list: ReadonlySignal<readonly RunInfo[]>;
  /** The chosen run's log, once it is here; the one on the page goes on growing. */
  chosen: ReadonlySignal<Chosen>;
}

export function useRankingRuns(id: ReadonlySignal<string>): RankingRuns {
  const made = useMemo(() => {
    const list = signal<readonly RunInfo[]>([]);
    const listProblem = signal<string | null>(null);
    const fetched = signal<Chosen & { id: string }>({ id: "", log: null, problem: null });
    const chosen = computed<Chosen>(() => {
      if (id.value !== "" && runId.value === id.value) {
        return { log: shown.value, problem: null };
      }
      const { id: of, ...rest } = fetched.value;
      const { problem, log } = of === id.value ? rest : { log: null, problem: null };
      return { log, problem: problem ?? listProblem.value };
    });
    return { list, listProblem, fetched, chosen };
  }, [id]);
  const { list, listProblem, fetched } = made;
  useEffect(() => {
    request<RunPage>(`api/runs?limit=${OFFERED}`).then(
      ({ items }) => {
        list.value = items.filter((item) => item.task === "ranking" && item.step > 0);
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        listProblem.value = error.message;
      },
    );
  }, [list, listProblem]);
  useSignalEffect(() => {
    const of = id.value;
    if (of === "" || runId.value === of) return;
    const stop = new AbortController();
    wholeLog(of, stop.signal).then(
      (log) => {
        fetched.value = { id: of, log, problem: null };
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        fetched.value = { id: of, log: null, problem: error.message };
      },
    );
    return () => stop.abort();
  });
  return made;
}
