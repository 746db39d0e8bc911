/** z* = y - (C + λI)^-1 g: each symbol in its colour, each shown in the pictures when pointed at. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Spec } from "../../api/types";
import { type Piece, type StepPlane, symbolWords } from "./step";

const PAPER = "https://arxiv.org/abs/2410.19055";

const NAMES: Record<Piece, string> = {
  z: "z*, the target",
  y: "y, the network's outputs",
  C: "C, the curvature",
  lambda: "λ, the damping",
  g: "g, the gradient",
};

interface Props {
  highlight: Signal<Piece | null>;
  plane: StepPlane | null;
  arm: Spec["arms"][number];
  /** CSS colour of the arm's text. */
  ink: string;
}

export function Formula({ highlight, plane, arm, ink }: Props) {
  const now = highlight.value;
  const mark = (symbol: Piece, colour: string, text: ComponentChildren) => (
    <button
      type="button"
      class="formula-symbol"
      style={{ color: colour }}
      aria-label={NAMES[symbol]}
      aria-pressed={now === symbol}
      onPointerEnter={(event) => {
        if (event.pointerType === "mouse") highlight.value = symbol;
      }}
      onPointerLeave={(event) => {
        if (event.pointerType === "mouse") highlight.value = null;
      }}
      onFocus={(event) => {
        if (event.currentTarget.matches(":focus-visible")) highlight.value = symbol;
      }}
      onBlur={() => {
        highlight.value = null;
      }}
      onPointerUp={(event) => {
        // A finger has no hover: it taps a symbol on, and off again.
        if (event.pointerType !== "mouse") highlight.value = now === symbol ? null : symbol;
      }}
    >
      {text}
    </button>
  );
  return (
    <div class="formula">
      <p class="formula-line">
        {mark("z", ink, <i>z*</i>)} <span>=</span> {mark("y", "var(--ink)", <i>y</i>)}{" "}
        <span>−</span> <span>(</span>
        {mark("C", "var(--curvature)", <i>C</i>)} <span>+</span>{" "}
        {mark("lambda", "var(--damping)", <i>λ</i>)}
        <i>I</i>
        <span>)</span>
        <sup>−1</sup> {mark("g", "var(--gradient)", <i>g</i>)}
      </p>
      <p class="formula-words">
        {now !== null && plane !== null ? (
          symbolWords(now, plane, arm)
        ) : (
          <>
            Point at a symbol to see it in the pictures. From{" "}
            <a href={PAPER} target="_blank" rel="noreferrer">
              Newton Losses (NeurIPS 2024)
            </a>
            .
          </>
        )}
      </p>
    </div>
  );
}
