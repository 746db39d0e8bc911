/** What has been run: find it, look again, keep, name, compare, remove. */

import { useEffect } from "preact/hooks";
import type { RunInfo } from "../api/types";
import {
  filter,
  GROUPINGS,
  type Grouping,
  grouping,
  groups,
  load,
  offset,
  PAGE_SIZE,
  page,
  picked,
  problem,
  search,
  status,
  taskOf,
} from "../panels/runs/list";
import { QueuePanel } from "../panels/runs/QueuePanel";
import { RunRow } from "../panels/runs/RunRow";
import { SeedsPanel } from "../panels/runs/SeedsPanel";
import { VisitorNote } from "../panels/runs/VisitorNote";
import { loadVisitor } from "../panels/runs/visitor";
import { navigate } from "../state/address/router";
import { Link } from "../ui/Link";

const REFRESH_MS = 3000;

export function RunsPage() {
  useEffect(() => {
    void load();
    void loadVisitor();
    // Only runs in progress change by themselves.
    const timer = setInterval(() => {
      const going = page.peek()?.items.some((item) => item.ended === null) ?? true;
      if (going && !document.hidden) void load();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);

  const found = page.value;
  const isFiltered = search.value.trim() !== "" || status.value !== "";
  return (
    <main class="runs">
      <div class="runs-head">
        <h2>Runs</h2>
        <CompareBar />
      </div>
      {problem.value !== null && (
        <div class="notice notice-warn" role="alert">
          <p>{problem.value}</p>
          <button type="button" onClick={() => void load()}>
            Try again
          </button>
        </div>
      )}
      {found === null && problem.value === null && <p class="hint">Loading…</p>}
      <QueuePanel />
      <SeedsPanel />
      <Filters />
      {found !== null && found.total === 0 && isFiltered && (
        <p class="hint">No run has these words in its name and this status.</p>
      )}
      {found !== null && found.total === 0 && !isFiltered && (
        <section class="panel empty">
          <h2>No runs yet</h2>
          <p>Every run is kept here: to look at again, to compare, to share.</p>
          <Link to={{ path: "", search: "" }} class="button go">
            Train the first
          </Link>
        </section>
      )}
      {found !== null && found.items.length > 0 && (
        <>
          {groups.value.map(({ name, items }) => (
            <section key={name} aria-label={name === "" ? "All runs" : name}>
              {name !== "" && (
                <h3 class="run-group">
                  {name} <small>{items.length === 1 ? "one run" : `${items.length} runs`}</small>
                </h3>
              )}
              <ul class="run-list">
                {items.map((item) => (
                  <RunRow key={item.id} item={item} />
                ))}
              </ul>
            </section>
          ))}
          <Pager total={found.total} />
        </>
      )}
      <VisitorNote />
    </main>
  );
}

const STATUSES: readonly RunInfo["status"][] = [
  "queued",
  "running",
  "finished",
  "failed",
  "cancelled",
];

function Filters() {
  return (
    <search class="run-filters">
      <label>
        Find{" "}
        <input
          type="search"
          value={search.value}
          placeholder="words of a name"
          maxLength={200}
          onInput={(event) => {
            const { value } = event.currentTarget;
            filter(() => {
              search.value = value;
            });
          }}
        />
      </label>
      <label>
        Status{" "}
        <select
          value={status.value}
          onChange={(event) => {
            const { value } = event.currentTarget;
            filter(() => {
              status.value = STATUSES.find((one) => one === value) ?? "";
            });
          }}
        >
          <option value="">any</option>
          {STATUSES.map((one) => (
            <option key={one} value={one}>
              {one === "cancelled" ? "stopped" : one}
            </option>
          ))}
        </select>
      </label>
      <label>
        Group by{" "}
        <select
          value={grouping.value}
          onChange={(event) => {
            grouping.value = event.currentTarget.value as Grouping;
          }}
        >
          {Object.entries(GROUPINGS).map(([name, { title }]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
    </search>
  );
}

function CompareBar() {
  const [first, ...others] = picked.value;
  const alike = new Set(picked.value.map(taskOf)).size === 1;
  const ready = first !== undefined && others.length > 0 && alike;
  return (
    <button
      type="button"
      class={ready ? "go" : ""}
      disabled={!ready}
      onClick={() => {
        if (ready) navigate({ path: `runs/${first}`, search: `?with=${others.join(",")}` });
      }}
    >
      {ready
        ? `Compare these ${others.length + 1}`
        : others.length === 0
          ? "Pick finished runs to compare"
          : "Pick runs of the same task: these have nothing in common"}
    </button>
  );
}

function Pager({ total }: { total: number }) {
  if (total <= PAGE_SIZE) return null;
  const go = (to: number) => {
    offset.value = to;
    void load();
  };
  const last = Math.min(total, offset.value + PAGE_SIZE);
  return (
    <nav class="pager" aria-label="Pages of runs">
      <button
        type="button"
        disabled={offset.value === 0}
        onClick={() => go(Math.max(0, offset.value - PAGE_SIZE))}
      >
        Newer
      </button>
      <span>
        {offset.value + 1} to {last} of {total}
      </span>
      <button type="button" disabled={last >= total} onClick={() => go(offset.value + PAGE_SIZE)}>
        Older
      </button>
    </nav>
  );
}
