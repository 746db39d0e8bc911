/** How much room the labels at the curves' ends need: by their texts, before they are drawn. */

import { formatValue, parseHover } from "./hover";
import { plotBox } from "./layout";
import { type Curve, isSmoothed, type View } from "./view";

/** Pixels between a curve's end and its label. */
export const TEXT_OFFSET = 8;

/** Pixels kept behind a label, since no page's font is quite the one that is reckoned with. */
const SPARE = 2;

const DIVERGED = "diverged";
/** What most values need at the most: room that is always there, so that the plot holds still. */
const USUAL = "12,300";
const LEAST_LETTERS = 8;
/** Pixels that are enough for curves and their value axis. */
const PLOT = 225;
const HERO_PLOT = 212;

/** Widths of bold characters in a wide font, in ems; letters are counted as `OTHER`. */
const WIDTHS: readonly [RegExp, number][] = [
  [/\d/, 0.7],
  [/[,. ]/, 0.38],
  [/[×−±≈]/, 0.84],
  [/[⁰¹²³⁴⁵⁶⁷⁸⁹]/, 0.44],
  [/⁻/, 0.53],
  [/%/, 1.01],
];
const OTHER = 0.66;

let pen: { of: OffscreenCanvasRenderingContext2D | null; family: string } | null = null;

/** Pixels that a bold text of this font size takes: measured, or where nothing draws, at the most. */
export function textWidth(text: string, font: number): number {
  pen ??=
    typeof OffscreenCanvas === "undefined"
      ? { of: null, family: "" }
      : {
          of: new OffscreenCanvas(1, 1).getContext("2d"),
          family: getComputedStyle(document.body).fontFamily,
        };
  if (pen.of !== null) {
    pen.of.font = `bold ${font}px ${pen.family}`;
    return pen.of.measureText(text).width;
  }
  const ems = [...text].map((letter) => WIDTHS.find(([like]) => like.test(letter))?.[1] ?? OTHER);
  return font * ems.reduce((sum, em) => sum + em, 0);
}

/** A small chart has values alone: the colours say whose, and the big one names them. */
export function named(view: View): boolean {
  return view.template.layout.meta.span === "hero" || view.width / view.scale >= 420;
}

export function fontOf(view: View): number {
  return (named(view) ? 12 : 11) * view.scale;
}

/** From one line of a label to the next, in sizes of its font. */
export const LINE = 1.12;

/** Pixels that a label of so many lines takes, to the next label. */
export function labelHeight(view: View, lines: number): number {
  return (named(view) ? 15 : 13) * view.scale + (lines - 1) * LINE * fontOf(view);
}

/** Pixels that labels need beside the plot; it grows where values do, and never shrinks again. */
export function labelRoom(view: View, curves: readonly Curve[]): number {
  const values = valueRoom(view, curves);
  const font = fontOf(view);
  const widths = namesOf(view, curves, values).flatMap((lines) =>
    lines.map((line, index) => textWidth(line, font) + (index < lines.length - 1 ? 0 : values)),
  );
  return Math.ceil(Math.max(values, ...widths)) + TEXT_OFFSET + SPARE;
}

/** Whether a text that begins here keeps within the chart. */
export function fitsBeside(view: View, left: number, text: string): boolean {
  return left + TEXT_OFFSET + textWidth(text, fontOf(view)) + SPARE <= view.width;
}

/**
 * The lines of each curve's name as there is room for them beside the plot, with the space before
 * the value, which follows the last: broken at its spaces, as long as the chart is tall enough for
 * more lines, and shortened where it is not, or where a word is too long.
 */
export function namesOf(
  view: View,
  curves: readonly Curve[],
  values = valueRoom(view, curves),
): string[][] {
  const shown = curves.map(({ layer, label }) => (layer.kind === "ghost" ? "" : label));
  if (!named(view)) return shown.map(() => [""]);
  const font = fontOf(view);
  const room = nameRoom(view, values);
  const whole = shown.map((name) => brokenName(name, font, room, values));
  const names = fitting(shown, font, room).map((name) => [name === "" ? "" : `${name} `]);
  const isNarrow = (lines: string[]) =>
    lines.every((line) => textWidth(line, font) <= room + values);
  const single = labelHeight(view, 1);
  let left = plotBox(view, 0).height - shown.filter((name) => name !== "").length * single;
  const fewest = whole
    .map((lines, index) => ({ lines, index }))
    .sort((one, other) => one.lines.length - other.lines.length);
  for (const { lines, index } of fewest) {
    const more = labelHeight(view, lines.length) - single;
    if (more > Math.max(0, left) || !isNarrow(lines)) continue;
    names[index] = lines;
    left -= more;
  }
  return names;
}

/** A name's lines, of which the last has room for the value; a line of its own, where none has. */
function brokenName(name: string, font: number, room: number, values: number): string[] {
  if (name === "") return [""];
  if (textWidth(`${name} `, font) <= room) return [`${name} `];
  const lines = broken(name, font, room + values);
  const last = `${lines.pop()} `;
  return textWidth(last, font) <= room ? [...lines, last] : [...lines, last.trimEnd(), ""];
}

/** The text broken at its spaces, so that no line with more than one word is wider than the room. */
export function broken(text: string, font: number, room: number): string[] {
  const found: string[] = [];
  for (const word of text.split(" ")) {
    const last = found.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && textWidth(longer, font) > room) found.push(word);
    else found.splice(-1, 1, longer);
  }
  return found;
}

/** Pixels for names beside the plot: labels leave the curves more than half of the chart. */
function nameRoom(view: View, values: number): number {
  const { width, scale } = view;
  // About a third of a small chart, and more of one whose curves have room enough without it.
  const hero = view.template.layout.meta.span === "hero";
  const [share, plot] = hero ? [0.5, HERO_PLOT] : [0.44, PLOT];
  return Math.max(0.36 * width, Math.min(share * width, width - plot * scale)) - values;
}

/**
 * Shortens each text to `pixels`, but never below eight letters. A long text keeps its beginning,
 * followed by an ellipsis; where another text begins in the same way, it keeps its end instead.
 */
export function fitting(texts: readonly string[], font: number, pixels: number): string[] {
  const starts = texts.map((text) => within(text, font, pixels, shortened));
  return texts.map((text, index) => {
    const start = starts[index] as string;
    const isAlike = starts.some((other, at) => other === start && texts[at] !== text);
    return isAlike ? within(text, font, pixels, ending) : start;
  });
}

type Cut = (text: string, letters: number) => string;

/** As much of the text as fits. */
function within(text: string, font: number, pixels: number, cut: Cut): string {
  let letters = text.length;
  while (letters > LEAST_LETTERS && textWidth(cut(text, letters), font) > pixels) letters -= 1;
  return cut(text, letters);
}

/** The text, or its beginning and an ellipsis, in at most so many letters. */
export function shortened(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1).trimEnd()}…`;
}

/** The text, or an ellipsis and its end, in at most so many letters: whole words where it has some. */
function ending(text: string, letters: number): string {
  if (text.length <= letters) return text;
  const end = text.slice(1 - letters);
  return `…${end.slice(end.indexOf(" ") + 1)}`;
}

/** What stands at the end of a curve: its value at `index`, or that there will be no more. */
export function endText(view: View, curve: Curve, index: number, last: number): string {
  if (index === last && hasDiverged(view, curve)) return DIVERGED;
  return `${signOf(view)}${formatValue(curve.line.at(index), specOf(view))}`;
}

/** A running mean says that it is one. */
function signOf(view: View): string {
  return isSmoothed(view) ? "≈ " : "";
}

function specOf(view: View): string {
  return parseHover(view.choice.hover).spec;
}

/** Whether the curve goes no further: its arm diverged, over seeds in one of them. */
function hasDiverged({ cursor }: View, { log, layer, arm }: Curve): boolean {
  const others = layer.seeds?.map((seed) => seed.arms[arm]) ?? [];
  return [log, ...others].some((one) => one?.diverged != null && one.diverged.step <= cursor);
}

function valueRoom(view: View, curves: readonly Curve[]): number {
  const spec = specOf(view);
  const texts = curves
    .filter(({ layer }) => layer.kind !== "ghost")
    .flatMap((curve) => {
      const { least, most, negative } = sizesOf(curve);
      const sign = negative ? -1 : 1;
      const ends = [least, most].filter(Number.isFinite).map((size) => sign * size);
      return [
        ...ends.map((value) => `${signOf(view)}${formatValue(value, spec)}`),
        ...(hasDiverged(view, curve) ? [DIVERGED] : []),
      ];
    });
  const [, most] = view.choice.bounds;
  const usual = most === null ? USUAL : formatValue(most, spec);
  return Math.max(...[usual, ...texts].map((text) => textWidth(text, fontOf(view))));
}

interface Sizes {
  /** Sizes of the values nearest to zero, but for zero, and furthest from it. */
  least: number;
  most: number;
  negative: boolean;
  /** How far the values have been looked at. */
  seen: number;
}

const known = new WeakMap<object, Sizes>();

/** The shown values' sizes, whose texts are the longest; goes on from where it was, if it can. */
function sizesOf({ line, shown }: Curve): Sizes {
  let found = known.get(line);
  if (found === undefined || found.seen > shown) {
    found = { least: Number.POSITIVE_INFINITY, most: 0, negative: false, seen: 0 };
    known.set(line, found);
  }
  const { values } = line;
  for (; found.seen < Math.min(shown, values.length); found.seen += 1) {
    const value = values[found.seen] as number;
    const size = Math.abs(value);
    if (size === 0 || !Number.isFinite(size)) continue;
    found.least = Math.min(found.least, size);
    found.most = Math.max(found.most, size);
    if (value < 0) found.negative = true;
  }
  return found;
}
