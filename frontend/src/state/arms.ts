/** An arm is one colour, one dash, one marker, one name, everywhere. */

import type { ArmSpec } from "../api/types";

/** The look of one arm. `slot` is the place of its colour in the palette. */
export interface ArmStyle {
  slot: number;
  /** CSS colour of lines and fills: `var(--arm-1)`. */
  colour: string;
  /** CSS colour of text in the arm's hue, readable on a panel: `var(--arm-1-ink)`. */
  ink: string;
  /** Plotly's dash, and a list that SVG's `stroke-dasharray` takes once `px` is dropped. */
  dash: string;
  /** Plotly's name of the marker. */
  marker: string;
}

/** Colour names in the order of the slots, as the colour picker says them. */
export const SLOT_NAMES = ["grey", "blue", "orange", "green", "pink", "ochre"];

/** What an arm is called: by its label, or by its place. */
export function armName(
  arms: readonly Pick<ArmSpec, "label">[] | undefined,
  index: number,
): string {
  return arms?.[index]?.label || `Arm ${index + 1}`;
}

/** The same as `ARM_STYLES` of `app/figures/palette.py`. */
const LOOKS = [
  { dash: "solid", marker: "circle" },
  { dash: "7px,3px", marker: "square" },
  { dash: "2px,2px", marker: "diamond" },
  { dash: "10px,3px,2px,3px", marker: "triangle-up" },
  { dash: "14px,4px", marker: "triangle-down" },
  { dash: "6px,2px,2px,2px,2px,2px", marker: "cross" },
] as const;

/** The dash of the `index`-th of some lines that are told apart: Plotly's. */
export function dashOf(index: number): string {
  return (LOOKS[index % LOOKS.length] as (typeof LOOKS)[number]).dash;
}

/** What SVG's `stroke-dasharray` takes for Plotly's `dash`. */
export function strokeDash(dash: string): string {
  return dash === "solid" ? "" : dash.replaceAll("px", "");
}

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
    return { slot, colour: `var(--arm-${slot})`, ink: `var(--arm-${slot}-ink)`, ...look };
  });
}

function freeSlot(first: number, taken: ReadonlySet<number>): number {
  if (!taken.has(first)) return first;
  const extra = [3, 4, 5, 1, 2, 0];
  return extra.find((slot) => !taken.has(slot)) ?? first;
}
