/** One run of the list: what it was, how it ended, and what can be done with it. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { send } from "../../api/client";
import type { RunInfo } from "../../api/types";
import { navigate } from "../../state/address/router";
import { resume } from "../../state/resume";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { RemoveButton } from "../../ui/RemoveButton";
import { change, picked } from "./list";
import { resultWords, statusWords, when } from "./words";

/** The run whose name is being typed. */
const renaming = signal<string | null>(null);

export function RunRow({ item }: { item: RunInfo }) {
  const isPicked = picked.value.includes(item.id);
  const pick = () => {
    picked.value = isPicked
      ? picked.value.filter((id) => id !== item.id)
      : [...picked.value, item.id];
  };
  return (
    <li class="panel run-row">
      <label class="check" data-tip="Pick finished runs of one task to compare">
        <input
          type="checkbox"
          checked={isPicked}
          disabled={item.status !== "finished"}
          onChange={pick}
          aria-label={`Pick ${item.title} to compare`}
        />
      </label>
      <div class="run-what">
        {renaming.value === item.id ? (
          <NameField item={item} />
        ) : (
          <Link to={{ path: `runs/${item.id}`, search: "" }}>{item.title}</Link>
        )}
        <p>
          <span class={`status status-${item.status}`}>{statusWords(item)}</span>
          {` · seed ${item.seed} · ${item.device} · ${when(item.created)}`}
        </p>
        <p class="run-result">{resultWords(item)}</p>
      </div>
      <RunActions item={item} />
    </li>
  );
}

/** What can be done with a run; a shared lab leaves changes to who started it. */
function RunActions({ item }: { item: RunInfo }) {
  const isBroken = item.status === "failed" || item.status === "cancelled";
  return (
    <div class="run-actions">
      {item.ended === null && item.changeable && (
        <button
          type="button"
          class="icon-button"
          aria-label={`Stop ${item.title}`}
          data-tip="Stop computing: what the run has computed stays"
          onClick={() => void change(send("POST", `api/runs/${item.id}/stop?ended_ok=true`))}
        >
          <Icon name="stop" />
        </button>
      )}
      {isBroken && (
        <button
          type="button"
          class="icon-button"
          aria-label={`Resume ${item.title}`}
          data-tip="Resume: go on from the last snapshot, as a new run with the same numbers"
          onClick={() => void change(resume(item.id))}
        >
          <Icon name="play" />
        </button>
      )}
      {item.changeable && <NameAndPin item={item} />}
      <button
        type="button"
        class="icon-button"
        aria-label="Fork"
        data-tip="Fork: take its settings into the controls"
        onClick={() => navigate({ path: "", search: `?like=${item.id}` })}
      >
        <Icon name="fork" />
      </button>
      {item.changeable && (
        <RemoveButton
          title={item.title}
          tip="Remove the run with its log and weights"
          onRemove={() => {
            picked.value = picked.value.filter((id) => id !== item.id);
            void change(send("DELETE", `api/runs/${item.id}`));
          }}
        />
      )}
    </div>
  );
}

function NameAndPin({ item }: { item: RunInfo }) {
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label={`Rename ${item.title}`}
        data-tip="Give the run another name"
        onClick={() => {
          renaming.value = item.id;
        }}
      >
        <Icon name="rename" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-pressed={item.pinned}
        aria-label={item.pinned ? "Unpin" : "Pin"}
        data-tip={
          item.pinned
            ? "Kept for good. Press to let it go with the old ones"
            : "Keep for good: old runs make room for new ones"
        }
        onClick={() => void change(send("PATCH", `api/runs/${item.id}`, { pinned: !item.pinned }))}
      >
        <Icon name={item.pinned ? "unpin" : "pin"} />
      </button>
    </>
  );
}

/** Enter takes the name, Escape leaves the old one. */
function NameField({ item }: { item: RunInfo }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const close = (title: string) => {
    if (renaming.value !== item.id) return;
    renaming.value = null;
    if (title.trim() === "" || title === item.title) return;
    void change(send("PATCH", `api/runs/${item.id}`, { title }));
  };
  return (
    <input
      ref={field}
      type="text"
      class="run-name"
      aria-label={`Name of ${item.title}`}
      defaultValue={item.title}
      maxLength={200}
      onBlur={(event) => close(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") close(event.currentTarget.value);
        if (event.key === "Escape") close("");
      }}
    />
  );
}
