/** What the output-space picture shows: arm, sample, directions, quadratic, range. */

import type { Signal } from "@preact/signals";
import type { OutputLandscape, OutputQuery } from "../../api/landscapes";
import { formatSetting } from "../../format";
import type { RunLog } from "../../state/log";
import { Choice } from "../../ui/Choice";
import { dampingOf, type OutputChoice, ownSurrogate, SURROGATES, type Surrogate } from "./outputs";
import { OutputChoices } from "./TileMap";

interface Props {
  spec: NonNullable<RunLog["spec"]>;
  step: number;
  choice: Signal<OutputChoice>;
  found: OutputLandscape | null;
}

const SAMPLES = 5;
const SPANS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50];
const FIT = "fit";
const MEAN = "mean";

export function OutputControls({ spec, step, choice, found }: Props) {
  const now = choice.value;
  const change = (changes: Partial<OutputChoice>): void => {
    choice.value = { ...choice.peek(), ...changes };
  };
  const surrogate = now.surrogate ?? ownSurrogate(spec, now.arm);
  const { tikhonov } = dampingOf(spec, now.arm, surrogate, step);
  const two = found !== null && found.shape.length === 2 ? "two tiles" : "two outputs";
  return (
    <div class="landscapes-controls">
      <Choice
        label="arm"
        value={`${now.arm}`}
        options={spec.arms.map((one, index) => [`${index}`, one.label])}
        onChange={(value) => change({ arm: Number(value), surrogate: null })}
      />
      <Choice
        label="sample"
        value={now.sample === null ? MEAN : `${now.sample}`}
        options={[
          ...Array.from(
            { length: Math.min(SAMPLES, spec.batch_size) },
            (_, n): [string, string] => [`${n}`, `${n + 1}`],
          ),
          [MEAN, "mean of the batch"],
        ]}
        onChange={(value) => change({ sample: value === MEAN ? null : Number(value) })}
      />
      <Choice<OutputQuery["kind"]>
        label="directions"
        value={now.kind}
        options={[
          ["coordinates", two],
          ["newton", "gradient and Newton direction"],
          ["eigenvectors", "leading eigenvectors"],
        ]}
        onChange={(kind) => change({ kind })}
      />
      {now.kind === "coordinates" && found !== null && (
        <OutputChoices
          found={found}
          chosen={[now.first, now.second]}
          onChoose={([first, second]) => change({ first, second })}
        />
      )}
      <Choice<Surrogate>
        label="quadratic"
        value={surrogate}
        options={Object.entries(SURROGATES) as [Surrogate, string][]}
        onChange={(value) => change({ surrogate: value })}
      />
      <Choice
        label={`λ = ${formatSetting(tikhonov)}`}
        value={now.damped ? "in" : "out"}
        options={[
          ["out", "left out of the quadratic"],
          ["in", "damps the quadratic"],
        ]}
        onChange={(value) => change({ damped: value === "in" })}
      />
      <Choice
        label="range"
        value={now.span === null ? FIT : `${now.span}`}
        options={[
          [FIT, "as far as z*"],
          ...SPANS.map((span): [string, string] => [`${span}`, `± ${span}`]),
        ]}
        onChange={(value) => change({ span: value === FIT ? null : Number(value) })}
      />
    </div>
  );
}
