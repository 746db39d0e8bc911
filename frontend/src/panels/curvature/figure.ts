/** The two pictures of a step: as long as it is, and turned alone. Pure. */

import type { Drawing, Numbers } from "../../charts/drawing";
import { type Landscape, mixed, type PlanePoint } from "../../charts/landscape";
import { landscapeFigure } from "../../charts/landscapeFigure";
import type { Layer, PlaneName, PlanePath } from "../../charts/plane";
import { type Palette, type Template, withAlpha } from "../../charts/templates";
import { formatMeasured } from "../../format";
import { degreeText, type Piece, type StepPlane, type StepView } from "./step";

export interface StepPicture {
  template: Template;
  palette: Palette;
  plane: StepPlane;
  /** As long as they are, or of one length. */
  which: "rescaled" | "turned";
  /** The arm's colour. */
  colour: string;
  /** The symbol that is pointed at. */
  highlight: Piece | null;
  scale: number;
}

/** Lines of the quadratic between z* and y. */
const RINGS = 2;
/** Lines beyond y. */
const BEYOND = 5;
/** Differences of heights, as a share of them, that are rounding: no lines can tell them apart. */
const FLAT = 1e-9;
/** How pale the others are while one symbol is pointed at. */
const PALE = 0.22;
/** An angle, in radians, that leaves no room for its number. */
const NARROW = 0.35;
/** Radius of the angle's arc, in lengths of the arrows. */
const ARC = 0.42;

export function stepFigure(picture: StepPicture): Drawing {
  const { plane, which, palette, highlight } = picture;
  const view = plane.views[which === "turned" ? 1 : 0];
  const unit = which === "turned" ? (view.unit ?? 1) : 1;
  const landscape: Landscape = {
    x: view.a.map((value) => value / unit),
    y: view.b.map((value) => value / unit),
    values: view.loss,
  };
  const step = pointOf(plane.step, unit);
  const down = pointOf(view.gradient, unit) ?? [0, 0];
  const look = (symbol: Piece, colour: string, dash = "solid") => {
    const opacity = highlight === null || highlight === symbol ? 1 : PALE;
    return { colour, dash, opacity, width: highlight === symbol ? 4 : 2.6 };
  };
  const arrows: PlanePath[] = [
    { points: [[0, 0], down], look: look("g", palette.gradient), name: "−g" },
  ];
  const earlier = which === "rescaled" ? pointOf(plane.earlier, unit) : null;
  if (earlier !== null) {
    arrows.push({ points: [[0, 0], earlier], look: look("z", picture.colour, "dot") });
  }
  if (step !== null) {
    arrows.push({ points: [[0, 0], step], look: look("z", picture.colour), name: "z*" });
  }
  // Heights in grey, so that the arrows alone have colours.
  const grey = { ...palette, accent: mixed(palette.panel, palette.soft, 0.62) };
  const figure = landscapeFigure({
    template: picture.template,
    palette: grey,
    landscape,
    log: false,
    colours: null,
    surface: false,
    layer: layerOf(picture, view, unit),
    arrows,
    borders: which === "turned" && step !== null ? compass(step, palette, highlight) : [],
    paths: [
      {
        points: [[0, 0]],
        look: { colour: palette.ink, width: highlight === "y" ? 4 : 2 },
        here: true,
      },
    ],
    names: namesOf(picture, landscape, down, step),
    titles:
      which === "turned"
        ? ["down the gradient (step lengths)", acrossTitle(plane)]
        : ["down the gradient (output units)", acrossTitle(plane)],
    label: "loss",
    scale: picture.scale,
  });
  return { ...figure, palette, tables: () => [stepTable(plane), ...figure.tables()] };
}

function acrossTitle({ second }: StepPlane): string {
  return second === "step" ? "across it, towards z*" : "across it, where C is steepest";
}

function pointOf(
  pair: readonly (number | null)[] | null,
  unit: number,
): readonly [number, number] | null {
  const [a, b] = pair ?? [];
  return a == null || b == null ? null : [a / unit, b / unit];
}

/** The quadratic: with λ, or, while C is pointed at, without it. */
function layerOf(
  { plane, palette, highlight }: StepPicture,
  view: StepView,
  unit: number,
): Layer | null {
  if (view.quadratic === null || plane.step === null) return null;
  const [alongStep] = plane.step;
  // At z* the quadratic lies so far below its value at y, through which one of its lines goes.
  const depth = ((plane.gradient_norm ?? 0) * (alongStep ?? 0)) / 2;
  const size = Math.abs(depth) / RINGS;
  const value = plane.value ?? 0;
  if (!(size > FLAT * Math.abs(value))) return null;
  const bare = highlight === "C";
  const fine = refined(view.a, view.b, view.quadratic);
  const values = fine.values.map((row, j) =>
    row.map((height, i) => {
      if (height === null || !bare) return height;
      const square = (fine.a[i] ?? 0) ** 2 + (fine.b[j] ?? 0) ** 2;
      return height - (plane.tikhonov * square) / 2;
    }),
  );
  const shown = highlight === null || highlight === "C" || highlight === "lambda";
  const colour = highlight === "lambda" ? palette.damping : palette.curvature;
  return {
    landscape: {
      x: fine.a.map((value) => value / unit),
      y: fine.b.map((value) => value / unit),
      values,
    },
    colour: shown ? colour : withAlpha(colour, PALE),
    label: bare ? "quadratic without λ" : "quadratic",
    levels: {
      start: value - (bare ? BEYOND : RINGS - 1) * size,
      end: value + BEYOND * size,
      size,
    },
    width: highlight === "C" || highlight === "lambda" ? 2.4 : 1.5,
  };
}

/** Points along each axis at which a narrow ellipse is round. */
const FINE = 81;

type Heights = NonNullable<StepView["quadratic"]>;

/** A quadratic over a grid, over a finer one: three points along each axis determine it. */
function refined(
  a: readonly number[],
  b: readonly number[],
  values: Heights,
): { a: readonly number[]; b: readonly number[]; values: Heights } {
  const across = nodesOf(a);
  const along = nodesOf(b);
  const known = along.map((j) => across.map((i) => values[j]?.[i] ?? null));
  if (known.flat().some((value) => value === null)) return { a, b, values };
  const [xs, ys] = [finer(a), finer(b)];
  const rights = xs.map((x) =>
    weightsAt(
      across.map((i) => a[i] as number),
      x,
    ),
  );
  return {
    a: xs,
    b: ys,
    values: ys.map((y) => {
      const ups = weightsAt(
        along.map((j) => b[j] as number),
        y,
      );
      const row = across.map((_, i) =>
        ups.reduce((sum, up, j) => sum + up * (known[j]?.[i] ?? 0), 0),
      );
      return rights.map((right) =>
        right.reduce((sum, weight, i) => sum + weight * (row[i] ?? 0), 0),
      );
    }),
  };
}

/** Places of the first, a middle and the last of an axis. */
function nodesOf(axis: readonly number[]): number[] {
  return [0, Math.floor((axis.length - 1) / 2), axis.length - 1];
}

function finer(axis: readonly number[]): number[] {
  const from = axis[0] ?? 0;
  const step = ((axis.at(-1) ?? 0) - from) / (FINE - 1);
  return Array.from({ length: FINE }, (_, index) => from + index * step);
}

/** Lagrange's weights of three nodes at a place. */
function weightsAt(nodes: readonly number[], at: number): number[] {
  return nodes.map((node) =>
    nodes.reduce(
      (product, other) => (other === node ? product : (product * (at - other)) / (node - other)),
      1,
    ),
  );
}

/** The circle that both arrows reach, and the angle between them. */
function compass(
  step: PlanePoint,
  palette: Palette,
  highlight: Piece | null,
): { points: PlanePoint[]; look: { colour: string; dash: string; opacity: number } }[] {
  const angle = Math.atan2(step[1], step[0]);
  const opacity = highlight === null ? 1 : PALE;
  return [
    {
      points: arc(1, 0, 2 * Math.PI),
      look: { colour: palette.faint, dash: "dot", opacity },
    },
    { points: arc(ARC, 0, angle), look: { colour: palette.ink, dash: "solid", opacity } },
  ];
}

function arc(radius: number, from: number, to: number): PlanePoint[] {
  return Array.from({ length: 49 }, (_, index) => {
    const at = from + ((to - from) * index) / 48;
    return [radius * Math.cos(at), radius * Math.sin(at)];
  });
}

function namesOf(
  picture: StepPicture,
  { x, y }: Landscape,
  down: PlanePoint,
  step: PlanePoint | null,
): PlaneName[] {
  const { palette, plane, which, colour } = picture;
  const width = (x.at(-1) ?? 1) - (x[0] ?? 0);
  const gap = 0.055 * width;
  const names: PlaneName[] = [{ at: [-gap * 0.8, -gap * 0.6], text: "y", colour: palette.ink }];
  const right = x.at(-1) ?? 1;
  if (down[0] <= right) {
    names.push({ at: [down[0], down[1] - gap], text: "−g", colour: palette.gradient });
  } else {
    const times = formatMeasured(down[0] / Math.hypot(...(step ?? down)), 2);
    const text = step === null ? "−g goes on" : `−g: ${times} × as far →`;
    const half = 0.24 * width * picture.scale;
    names.push({ at: [right - half, -gap], text, colour: palette.gradient });
  }
  if (step !== null) {
    const length = Math.hypot(...step);
    const away: PlanePoint = [(-step[1] / length) * gap, (step[0] / length) * gap];
    const lift = step[1] / length > 0.15 ? away : ([0, gap] as const);
    names.push({ at: [step[0] + lift[0], step[1] + lift[1]], text: "z*", colour });
    if (which === "turned") {
      const whole = Math.atan2(step[1], step[0]);
      // Between the arrows where there is room, above them where there is none.
      const angle = whole > NARROW ? whole / 2 : whole + 0.22;
      const far = ARC + 0.13;
      names.push({
        at: [far * Math.cos(angle), far * Math.sin(angle)],
        text: degreeText(plane.change?.degrees ?? null),
        colour: palette.ink,
      });
    }
  }
  return names.filter(({ at }) => at[1] > (y[0] ?? 0) && at[1] < (y.at(-1) ?? 0));
}

/** The arrows as numbers. */
function stepTable({ gradient_norm: norm, step, change }: StepPlane): Numbers {
  const number = (value: number | null | undefined): string =>
    value == null ? "" : formatMeasured(value);
  const [along, across] = step ?? [];
  const length = along == null || across == null ? null : Math.hypot(along, across);
  return {
    caption: "Steps from y",
    corner: "step",
    columns: ["down the gradient", "across it", "length", "angle to −g in degrees", "ratio to −g"],
    rows: [
      { name: "−g", cells: [number(norm), "0", number(norm), "0", "1"] },
      ...(length === null
        ? []
        : [
            {
              name: "z* − y",
              cells: [along, across, length, change?.degrees, change?.ratio].map(number),
            },
          ]),
    ],
  };
}
