/** The loss on the straight way from one arm's weights to another's: one valley, or two? */

import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { LineQuery, LineSlice } from "../../api/slices";
import { linesFigure } from "../../charts/lines";
import type { Template } from "../../charts/templates";
import {
  landscapeSettings,
  presenting,
  runId,
  runSpec,
  shownTheme,
  styles,
} from "../../state/signals";
import { PictureCard } from "../charts/PictureCard";
import { useSlice } from "./ask";
import { Choice } from "./Choice";
import { barrierWords } from "./model";
import { armColour, armName } from "./SliceCard";

interface Props {
  template: Template;
  /** The step of the snapshot that answers. */
  step: ReadonlySignal<number | null>;
}

export function ArmsLine({ template, step }: Props) {
  const start = useSignal(0);
  const end = useSignal(1);
  const found = useSignal<LineSlice["line"] | null>(null);
  const query = useComputed<LineQuery | null>(() => {
    const id = runId.value;
    const differ = start.value !== end.value;
    if (id === "" || step.value === null || !differ) return null;
    return { space: "line", run: id, step: step.value, start: start.value, end: end.value };
  });
  const state = useSlice(query, ({ event, data }) => {
    if (event === "line") found.value = data.line;
  });
  useSignalEffect(() => {
    start.value;
    end.value;
    found.value = null;
  });
  const ends = useComputed(() => {
    const line = found.value;
    return [0, 1].map((t) => line?.values[line.t.indexOf(t)] ?? Number.NaN);
  });
  const figure = useComputed(() => {
    const line = found.value;
    if (line === null) return null;
    const palette = template.layout.meta.palettes[shownTheme.value];
    return linesFigure({
      template,
      palette,
      lines: [{ x: line.t, y: line.values, name: "loss", colour: palette.accent, dash: "solid" }],
      dots: [start.value, end.value].map((arm, t) => ({
        x: t,
        y: ends.value[t] ?? Number.NaN,
        colour: armColour(template, arm),
        marker: styles.value[arm]?.marker ?? "circle",
      })),
      titles: [`0: ${armName(start.value)}, 1: ${armName(end.value)}`, "loss"],
      scaleY: landscapeSettings.log.value ? "log" : "linear",
      scale: presenting.value ? 1.5 : 1,
    });
  });
  const names = (runSpec.value?.arms ?? []).map((_, arm): [string, string] => [
    `${arm}`,
    armName(arm),
  ]);
  const said = state.value;
  const line = found.value;
  return (
    <div class="arms-line">
      <div class="landscapes-controls">
        <Choice
          label="straight line from"
          value={`${start.value}`}
          options={names}
          onChange={(value) => {
            start.value = Number(value);
          }}
        />
        <Choice
          label="to"
          value={`${end.value}`}
          options={names}
          onChange={(value) => {
            end.value = Number(value);
          }}
        />
      </div>
      <p class="landscapes-note" role={typeof said === "object" ? "alert" : undefined}>
        {start.value === end.value
          ? "Choose two arms that differ."
          : typeof said === "object"
            ? `No line: ${said.problem}.`
            : line === null
              ? "Computing…"
              : barrierWords(line.barrier, ends.value)}
      </p>
      <PictureCard
        figure={figure}
        title={`Loss between ${armName(start.value)} and ${armName(end.value)}`}
        label={`The loss on the straight line from ${armName(start.value)} to ${armName(end.value)}`}
      />
    </div>
  );
}
