/** An arm is one colour, one dash, one marker, one name, everywhere. */

import type { ArmSpec } from "../api/types";

/** The look of one arm. `slot` names the custom property `--arm-<slot>` that holds its colour. */
export interface ArmStyle {
  slot: number;
  /** CSS value, for styles: `var(--arm-1)`. Charts resolve it to the theme's colour. */
  colour: string;
  /** Plotly's name of the dash. */
  dash: "solid" | "dash" | "dot" | "dashdot" | "longdash" | "longdashdot";
  /** The same dash for SVG and the rail (`stroke-dasharray`); empty: solid. */
  strokeDash: string;
  /** Plotly's name of the marker. */
  marker: "circle" | "square" | "triangle-up" | "diamond" | "cross" | "x";
}

/** Colour names in the order of the slots, as the colour picker says them. */
export const SLOT_NAMES = ["grey", "blue", "orange", "green", "purple", "sky blue", "ochre"];

const LOOKS: readonly Pick<ArmStyle, "dash" | "strokeDash" | "marker">[] = [
  { dash: "solid", strokeDash: "", marker: "circle" },
  { dash: "dash", strokeDash: "7 4", marker: "square" },
  { dash: "dot", strokeDash: "2 3", marker: "triangle-up" },
  { dash: "dashdot", strokeDash: "7 3 2 3", marker: "diamond" },
  { dash: "longdash", strokeDash: "11 4", marker: "cross" },
  { dash: "longdashdot", strokeDash: "11 3 2 3", marker: "x" },
];

const FIRST_CHOICE: Record<ArmSpec["curvature"], number> = { none: 0, hessian: 1, fisher: 2 };

/**
 * One style per arm: the colours chosen by hand (`chosen[i]`, a slot) win; the rest follow from what
 * the arm is (vanilla grey, Hessian blue, Fisher orange) and take a free colour when that is taken.
 * The dash follows from the arm's place, so that two arms never share both.
 */
export function armStyles(
  arms: readonly Pick<ArmSpec, "curvature">[],
  chosen: readonly (number | null)[] = [],
): ArmStyle[] {
  const taken = new Set(chosen.slice(0, arms.length).filter((slot) => slot !== null));
  return arms.map((arm, index) => {
    const slot = chosen[index] ?? freeSlot(FIRST_CHOICE[arm.curvature], taken);
    taken.add(slot);
    const look = LOOKS[index % LOOKS.length] as (typeof LOOKS)[number];
    return { slot, colour: `var(--arm-${slot})`, ...look };
  });
}

function freeSlot(first: number, taken: ReadonlySet<number>): number {
  if (!taken.has(first)) return first;
  const extra = [3, 4, 5, 6, 1, 2, 0];
  return extra.find((slot) => !taken.has(slot)) ?? first;
}
