/** A chart as a picture file: the figure with the title that the page shows above it. */

import { formatCount } from "../format";
import { compose, type Drawn, outline, unitText } from "./compose";
import type { Drawing } from "./drawing";
import { endTraces } from "./ends";
import type { Plot } from "./layout";
import { markShapes } from "./marks";
import { type Figure, type PlotlyLayout, plotly } from "./plotly";
import type { View } from "./view";

/** Height of title and subtitle, in pixels. */
const HEAD = 58;

/** `newton-lab-exact-match-step-7440-1a2b3c`; parts that a picture does not have are left out. */
export function fileName(title: string, step?: number, run = ""): string {
  const words = title
    .toLowerCase()
    .replaceAll("λ", "lambda")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const at = step === undefined ? "" : `step-${step}`;
  return ["newton-lab", words, at, run.slice(0, 8)].filter(Boolean).join("-");
}

/** The drawn figure complete in itself: with labels and marks, and room above for its title. */
export function titled(drawn: Drawn): Figure {
  const { layout } = drawn.figure;
  const { choice, palette, scale, cursor, template } = drawn.view;
  const margin = layout.margin as { t: number };
  const whole = drawn.plots[0]?.box;
  const labels =
    whole === undefined
      ? []
      : endTraces(template, drawn.ends, whole, drawn.x, drawn.y, palette.panel);
  return {
    data: [...drawn.figure.data, ...labels],
    layout: {
      ...layout,
      shapes: markShapes(drawn.marks, paperOf(drawn)),
      annotations: [...notesOf(drawn), ...namesOf(drawn)],
      height: drawn.view.height + HEAD * scale,
      margin: { ...margin, t: margin.t + HEAD * scale },
      title: {
        ...titleOf(choice.title, drawn.view.height + HEAD * scale, palette.ink, scale),
        subtitle: {
          text: `${unitText(drawn.view)}, step ${formatCount(cursor)}`,
          font: { size: 12 * scale, color: palette.soft },
        },
      },
    },
  };
}

function titleOf(text: string, height: number, ink: string, scale: number): PlotlyLayout {
  return {
    text,
    x: 0.02,
    xref: "container",
    yref: "container",
    y: 1 - (10 * scale) / height,
    yanchor: "top",
    font: { size: 15 * scale, weight: 600, color: ink },
  };
}

/** An annotation without an arrow whose left edge is at a place of the drawing, in pixels. */
function placed(drawn: Drawn, left: number, top: number): PlotlyLayout {
  const paper = paperOf(drawn);
  return {
    xref: "paper",
    yref: "paper",
    x: (left - paper.left) / paper.width,
    y: 1 - (top - paper.top) / paper.height,
    xanchor: "left",
    showarrow: false,
  };
}

/** Names of panels and notes of changes, as annotations. */
function notesOf(drawn: Drawn): PlotlyLayout[] {
  const note = (text: string, left: number, top: number, font: object): PlotlyLayout => ({
    ...placed(drawn, left, top),
    yanchor: "bottom",
    text,
    font,
  });
  const { scale } = drawn.view;
  return [
    ...drawn.titles.map((title) =>
      note(title.text, title.left, title.bottom, {
        size: 12 * scale,
        weight: title.weight,
        color: title.ink,
      }),
    ),
    ...drawn.marks
      .filter((mark) => mark.note !== "")
      .map((mark) =>
        note(`◆ ${mark.note}`, mark.left + 4, mark.plot.top + 12 * scale, {
          size: 11 * scale,
          color: mark.noteInk,
        }),
      ),
  ];
}

/** What stands at the curves' ends: Plotly draws no text of a trace beyond its axes. */
function namesOf(drawn: Drawn): PlotlyLayout[] {
  return drawn.ends.map(({ curve, text, textLeft, textTop, font }) => ({
    ...placed(drawn, textLeft, textTop),
    yanchor: "middle",
    text,
    font: { size: font, weight: 700, color: curve.ink },
  }));
}

/** The box that Plotly calls paper: from the first plot's left to the last one's right. */
function paperOf(drawn: Drawn): Plot {
  const boxes = drawn.plots.map(({ box }) => box);
  const first = boxes[0] ?? { left: 0, top: 0, width: 1, height: 1 };
  const last = boxes.at(-1) ?? first;
  return { ...first, width: last.left + last.width - first.left };
}

/** What a picture is saved as: dots, or lines that can be edited. */
export type PictureFormat = "png" | "svg";

/** A slide, in pixels, and how much larger its text is than the page's. */
const SLIDE = { width: 1280, height: 720, scale: 1.6 };

/** The view at a slide's size, where every curve has its arm's name. */
export function onSlide(view: Omit<View, "width" | "height">): Drawn {
  const { width, height, scale } = SLIDE;
  return compose(outline({ ...view, width, height: height - HEAD * scale, scale }));
}

/** Saves the chart at a slide's size; as dots at twice as many. */
export async function downloadChart(
  view: Omit<View, "width" | "height">,
  format: PictureFormat,
): Promise<void> {
  const library = await plotly();
  const { choice, layers, cursor } = view;
  const run = layers.find((layer) => layer.kind === "main")?.log.id ?? "";
  await library.downloadImage(titled(onSlide(view)), {
    format,
    filename: fileName(choice.title, cursor, run),
    width: SLIDE.width,
    height: SLIDE.height,
    scale: format === "png" ? 2 : 1,
  });
}

/** Height of the title of a panel's own figure, in pixels. */
const NAME = 34;
const UNSEEN = { width: 640, height: 480 };

/** Saves a panel's own figure at twice its size on the screen, from where its reader looks at it. */
export async function downloadDrawing(
  drawing: Drawing,
  element: HTMLElement,
  name: string,
  format: PictureFormat,
): Promise<void> {
  const library = await plotly();
  const { layout, palette, scale } = drawing;
  // An element behind a table has no size.
  const width = element.clientWidth || UNSEEN.width;
  const height = (element.clientHeight || UNSEEN.height) + NAME * scale;
  const margin = layout.margin as { t: number };
  const shown = (element as { layout?: PlotlyLayout }).layout?.scene as PlotlyLayout | undefined;
  const figure = {
    data: drawing.data,
    layout: {
      ...layout,
      ...(layout.scene !== undefined && {
        scene: { ...layout.scene, ...(shown?.camera !== undefined && { camera: shown.camera }) },
      }),
      width,
      height,
      margin: { ...margin, t: margin.t + NAME * scale },
      title: titleOf(name, height, palette.ink, scale),
    },
  };
  await library.downloadImage(figure, {
    format,
    filename: fileName(name),
    width,
    height,
    scale: format === "png" ? 2 : 1,
  });
}
