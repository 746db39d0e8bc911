/** An arm is one colour, one dash, one marker, one name, everywhere. */

import type { ArmSpec } from "../api/types";
import { vocabulary } from "./vocabulary";

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

/** What an arm is called: by its label, or by its place. */
export function armName(
  arms: readonly Pick<ArmSpec, "label">[] | undefined,
  index: number,
): string {
  return arms?.[index]?.label || `Arm ${index + 1}`;
}

/** The dash and the marker of the `index`-th of some lines that are told apart. */
function lookOf(index: number): Pick<ArmStyle, "dash" | "marker"> {
  const looks = vocabulary.value.arm_styles;
  const { dash = "solid", symbol = "circle" } = looks[index % looks.length] ?? {};
  return { dash, marker: symbol };
}

/** The dash of the `index`-th of some lines that are told apart: Plotly's. */
export function dashOf(index: number): string {
  return lookOf(index).dash;
}

/** What SVG's `stroke-dasharray` takes for Plotly's `dash`. */
export function strokeDash(dash: string): string {
  return dash === "solid" ? "" : dash.replaceAll("px", "");
}

const FIRST_CHOICE: Record<ArmSpec["curvature"], number> = {
  none: 0,
  hessian: 1,
  fisher: 2,
  ggn: 3,
};

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
    const colour = `var(--arm-${slot})`;
    return { slot, colour, ink: `var(--arm-${slot}-ink)`, ...lookOf(index) };
  });
}

function freeSlot(first: number, taken: ReadonlySet<number>): number {
  if (!taken.has(first)) return first;
  const extra = [3, 4, 5, 1, 2, 0];
  return extra.find((slot) => !taken.has(slot)) ?? first;
}
