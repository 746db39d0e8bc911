/** Experiments with a story: what to watch for, what to expect, and how that is known. */

import { useId, useState } from "preact/hooks";
import type { Preset } from "../../api/types";
import { formatDuration } from "../../format";
import { catalog, loadDraft, presetOfDraft, presetSpec } from "../../state/draft";
import { metricWords } from "../../state/metrics";
import { leave } from "../../state/session";
import { Icon } from "../../ui/Icon";

const OWN = "";

export function PresetPanel() {
  const id = useId();
  const known = catalog.value;
  const current = presetOfDraft.value;
  if (known === null) return null;
  const choose = (name: string) => {
    const preset = known.presets.find((candidate) => candidate.name === name);
    if (preset === undefined) return;
    leave();
    loadDraft(presetSpec(known, preset));
  };
  return (
    <section class="panel">
      <h2>
        <label for={id}>Preset</label>
      </h2>
      <select
        id={id}
        value={current?.name ?? OWN}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {current === null && <option value={OWN}>Your own settings</option>}
        {known.presets.map((preset) => (
          <option key={preset.name} value={preset.name}>
            {preset.title}
          </option>
        ))}
      </select>
      {current !== null && (
        <Expectation preset={current} task={presetSpec(known, current).task.name} />
      )}
    </section>
  );
}

function Expectation({ preset, task }: { preset: Preset; task: string }) {
  const [open, setOpen] = useState(false);
  const { expect } = preset;
  const words = metricWords(expect.metric, task);
  const signed = (value: number) => `${value >= 0 ? "+" : "−"}${words.number(Math.abs(value))}`;
  const diverged = Object.entries(expect.diverged);
  return (
    <div class="expect">
      <p>
        {expect.sentence}{" "}
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          How we know
        </button>
      </p>
      {open && (
        <div class="evidence">
          <p>{preset.story}</p>
          {expect.seeds === 0 ? (
            <p>Not measured: one run takes about {formatDuration(expect.seconds)} on two cores.</p>
          ) : (
            <p>
              Measured over {expect.seeds} seeds, {formatDuration(expect.seconds)} each on two
              cores. Difference to {expect.baseline} in {words.title.toLowerCase()}
              {expect.better === "lower" && " (lower is better)"}, with its 95 % interval:
            </p>
          )}
          <table>
            <tbody>
              {expect.differences.map((difference) => (
                <tr key={difference.arm}>
                  <th scope="row">{difference.arm}</th>
                  <td>{signed(difference.mean)}</td>
                  <td>
                    {signed(difference.low)} to {signed(difference.high)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {diverged.map(([arm, count]) => (
            <p key={arm}>
              {arm} diverged in {count} of {expect.seeds} seeds, each of which counts as the worst
              value.
            </p>
          ))}
          <p>{expect.seeds === 0 ? "Measure it:" : "Measure it again:"}</p>
          <Command text={expect.command} />
        </div>
      )}
    </div>
  );
}

function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class="command">
      <code>{text}</code>
      <button
        type="button"
        class="quiet"
        aria-label={copied ? "Copied" : "Copy the command"}
        onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
      >
        <Icon name="copy" size={15} />
      </button>
    </div>
  );
}
