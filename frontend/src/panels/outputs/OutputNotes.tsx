/** The output-space picture in words: what each of its marks is, and how far to trust it. */

import type { RunLog } from "../../state/log";
import {
  arrowWords,
  crossWords,
  dampingOf,
  noiseWords,
  ownSurrogate,
  planeWords,
  quadraticWords,
  type Shown,
  targetWords,
} from "./outputs";

interface Props {
  spec: NonNullable<RunLog["spec"]>;
  shown: Shown;
}

export function OutputNotes({ spec, shown }: Props) {
  const { choice, found, samples } = shown;
  const { slice } = found;
  const [quadratic] = slice.surrogates;
  if (quadratic === undefined) return null;
  const surrogate = choice.surrogate ?? ownSurrogate(spec, choice.arm);
  const damping = dampingOf(spec, choice.arm, surrogate, found.step);
  const reach = slice.a.at(-1) ?? 1;
  const blank = slice.loss.some((row) => row.some((value) => value === null));
  return (
    <ul class="outputs-notes">
      <li>
        <Key class="outputs-key-down" />
        down the gradient of {choice.sample === null ? "the batch's mean loss" : "this sample"},{" "}
        {arrowWords(slice.gradient)}; drawn no longer than a third of the picture
      </li>
      <li>
        <Key class="outputs-key-target" />
        {targetWords(quadratic, reach)}
      </li>
      <li>
        <Key class="outputs-key-layer" />
        {quadraticWords(surrogate, damping, choice.damped, samples)}
      </li>
      <li>
        <Key class="outputs-key-cross" />
        {crossWords(quadratic, damping.tikhonov)}
      </li>
      <li>
        {planeWords(choice.kind, surrogate)} The middle is what the network says;{" "}
        {choice.sample === null
          ? "all samples of the batch move alike"
          : "the range is in its units"}
        .
      </li>
      {noiseWords(spec.loss, choice.sample) !== "" && (
        <li>{noiseWords(spec.loss, choice.sample)}</li>
      )}
      {blank && (
        <li>
          {found.shape.length === 2
            ? "Blank: there a cost would not be positive."
            : "Blank: there the loss is not finite."}
        </li>
      )}
    </ul>
  );
}

function Key({ class: name }: { class: string }) {
  return (
    <svg class={`outputs-key ${name}`} viewBox="0 0 18 10" aria-hidden="true">
      <path d="M1 5H17" />
    </svg>
  );
}
