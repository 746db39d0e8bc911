/** The loss on the straight way from one arm's weights to another's: one valley, or two? */

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { type LineLandscape, type LineQuery, streamLandscape } from "../../api/landscapes";
import { linesFigure } from "../../charts/lines";
import type { Template } from "../../charts/templates";
import { type Ask, problemOf, useQuery } from "../../state/query";
import { landscapeSettings, runId, runSpec, styles, textScale } from "../../state/signals";
import { paletteOf } from "../../state/theme";
import { Choice } from "../../ui/Choice";
import { PictureCard } from "../charts/PictureCard";
import { armColour, armName } from "./LandscapeCard";
import { barrierWords } from "./model";

interface Props {
  template: Template;
  /** The step of the snapshot that answers. */
  step: ReadonlySignal<number | null>;
}

type Found = LineLandscape["line"];

const askLine: Ask<LineQuery, Found> = async (query, signal, receive) => {
  for await (const { event, data } of streamLandscape(query, signal)) {
    if (event === "line") receive(data.line);
  }
};

export function ArmsLine({ template, step }: Props) {
  const start = useSignal(0);
  const end = useSignal(1);
  const query = useComputed<LineQuery | null>(() => {
    const id = runId.value;
    const differ = start.value !== end.value;
    if (id === "" || step.value === null || !differ) return null;
    return { space: "line", run: id, step: step.value, start: start.value, end: end.value };
  });
  const between = useComputed(() => `${start.value} ${end.value}`);
  const { answer: found, state } = useQuery(query, askLine, between);
  const ends = useComputed(() => {
    const line = found.value;
    return [0, 1].map((t) => line?.values[line.t.indexOf(t)] ?? Number.NaN);
  });
  const figure = useComputed(() => {
    const line = found.value;
    if (line === null) return null;
    const palette = paletteOf(template);
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
      scale: textScale.value,
    });
  });
  const names = (runSpec.value?.arms ?? []).map((_, arm): [string, string] => [
    `${arm}`,
    armName(arm),
  ]);
  const problem = problemOf(state.value);
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
      <p class="landscapes-note" role={problem === null ? undefined : "alert"}>
        {start.value === end.value
          ? "Choose two arms that differ."
          : problem !== null
            ? `No line: ${problem}.`
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
