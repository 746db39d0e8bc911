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
  /** Whether it steps back, since another arm is pointed at. */
  faded?: boolean;
}

/** What an arm is called: by its label, or by its place. */
export function armName(
  arms: readonly Pick<ArmSpec, "label">[] | undefined,
  index: number,
): string {
  return arms?.[index]?.label || `Arm ${index + 1}`;
}

/** What SVG's `stroke-dasharray` takes for Plotly's `dash`. */
export function strokeDash(dash: string): string {
  return dash === "solid" ? "" : dash.replaceAll("px", "");
}

/** The style of one place in the palette: its colour, and the dash and the marker that go with it. */
function styleOf(slot: number, pattern = slot): ArmStyle {
  const looks = vocabulary.value.arm_styles;
  const { dash = "solid", symbol = "circle" } = looks[pattern % looks.length] ?? {};
  return {
    slot,
    colour: `var(--arm-${slot})`,
    ink: `var(--arm-${slot}-ink)`,
    dash,
    marker: symbol,
  };
}

/**
 * The methods that look different, each with its slot in the palette. A variant shares the colour of
 * its method and has a slot among the dashes too. Every page draws by this list.
 */
const METHODS = {
  vanilla: [0],
  vanilla_double: [0, 1],
  hessian: [1],
  fisher: [2],
  ggn: [3],
  own_loss: [3],
  clip: [3],
  normalise: [3],
  length: [4],
  direction: [5],
  momentum: [3],
  adam: [4],
  hessian_clip: [1, 2],
  saddle_free: [5],
} satisfies Record<string, [number] | [number, number]>;

export type Method = keyof typeof METHODS;

/** The look of a method where each appears once. */
export function methodStyle(method: Method): ArmStyle {
  const [slot, pattern] = METHODS[method] as [number, number?];
  return styleOf(slot, pattern);
}

type Kind = Pick<ArmSpec, "curvature"> & Partial<Pick<ArmSpec, "gradient" | "component" | "loss">>;

function methodOf({
  curvature,
  gradient = "plain",
  component = "full",
  loss = null,
}: Kind): Method {
  if (curvature !== "none") return component === "full" ? curvature : component;
  if (gradient !== "plain") return gradient;
  return loss === null ? "vanilla" : "own_loss";
}

/**
 * Gives each arm its style. A colour that was chosen by hand (`chosen[i]`, a slot) wins. The others
 * follow from the arm's method: vanilla is grey, Hessian blue, Fisher orange. The first arm of each
 * method gets its colour; the rest take what is free. Two arms of one colour have different dashes.
 */
export function armStyles(
  arms: readonly Kind[],
  chosen: readonly (number | null)[] = [],
): ArmStyle[] {
  const slots = arms.map((_, index) => chosen[index] ?? null);
  const taken = new Set(slots.filter((slot) => slot !== null));
  const take = (index: number, slot: number): void => {
    slots[index] = slot;
    taken.add(slot);
  };
  const firsts = arms.map((arm) => METHODS[methodOf(arm)][0]);
  firsts.forEach((slot, index) => {
    if (slots[index] === null && !taken.has(slot)) take(index, slot);
  });
  firsts.forEach((slot, index) => {
    if (slots[index] === null) take(index, SPARE.find((free) => !taken.has(free)) ?? slot);
  });
  const patterns = new Set(slots);
  const seen = new Set<number>();
  return slots.map((found, index) => {
    const slot = found ?? firsts[index] ?? 0;
    const pattern = seen.has(slot) ? (SPARE.find((free) => !patterns.has(free)) ?? slot) : slot;
    seen.add(slot);
    patterns.add(pattern);
    return styleOf(slot, pattern);
  });
}

/** Colours for arms whose own is taken, those of no common method first. */
const SPARE = [3, 4, 5, 1, 2, 0];
