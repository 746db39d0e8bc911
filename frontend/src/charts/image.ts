/** A chart as a picture file: the figure with the title that the page shows above it. */

import { formatCount } from "../format";
import { compose, type Drawn, outline, unitText } from "./compose";
import type { Drawing } from "./drawing";
import { endTraces } from "./ends";
import { broken } from "./labelRoom";
import type { Plot } from "./layout";
import { markShapes, noteBottom } from "./marks";
import { type Figure, type PlotlyLayout, plotly } from "./plotly";
import type { Palette } from "./templates";
import type { View } from "./view";

/** Height of title and subtitle, in pixels, with room for a note above the plot. */
const HEAD = 70;

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
        size: title.font,
        weight: title.weight,
        color: title.ink,
      }),
    ),
    ...drawn.marks
      .filter((mark) => mark.note !== "")
      .map((mark) =>
        note(`◆ ${mark.note}`, mark.left + 4, noteBottom(mark.plot), {
          size: 11 * scale,
          color: mark.noteInk,
        }),
      ),
  ];
}

/** What stands at the curves' ends: Plotly draws no text of a trace beyond its axes. */
function namesOf(drawn: Drawn): PlotlyLayout[] {
  return drawn.ends.map(({ curve, lines, textLeft, textTop, font }) => ({
    ...placed(drawn, textLeft, textTop),
    yanchor: "middle",
    align: "left",
    text: lines.join("<br>"),
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

/** An element behind a table has no size. */
const UNSEEN = { width: 640, height: 480 };

/** What is written over a panel's own figure in its file. */
export interface Caption {
  name: string;
  /** What the picture says, in words. */
  note?: string | undefined;
}

/**
 * Saves a panel's own figure at the size of a slide, with the camera where the reader has it; a PNG
 * has twice as many pixels. The figure is drawn at its size on the screen and then enlarged with its
 * text, so that the text is as large as a slide needs.
 */
export async function downloadDrawing(
  drawing: Drawing,
  element: HTMLElement,
  caption: Caption,
  format: PictureFormat,
): Promise<void> {
  const library = await plotly();
  const { layout, palette, scale } = drawing;
  const width = element.clientWidth || UNSEEN.width;
  const head = captionOf(caption, width, palette, scale);
  const height = (element.clientHeight || UNSEEN.height) + head.height;
  const margin = layout.margin as { l: number; t: number };
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
      margin: { ...margin, t: margin.t + head.height },
      annotations: [
        ...((layout.annotations as PlotlyLayout[] | undefined) ?? []),
        {
          ...{ xref: "paper", yref: "paper", x: 0, y: 1, xanchor: "left", yanchor: "bottom" },
          ...{ xshift: MARGIN - margin.l, yshift: margin.t, showarrow: false, align: "left" },
          text: head.text,
          font: { size: NAME_FONT * scale, weight: 600, color: palette.ink },
        },
      ],
    },
  };
  const larger = Math.max(1, Math.min(SLIDE.height / height, SLIDE.width / width));
  await library.downloadImage(figure, {
    format,
    filename: fileName(caption.name),
    width,
    height,
    scale: format === "png" ? 2 * larger : larger,
  });
}

/** Sizes of a caption's lines: of its name, of its note; and how much of the width they take. */
const NAME_FONT = 14;
const NOTE_FONT = 11;
const LINE = 1.35;
const LINE_SHARE = 0.94;
/** Pixels before a caption. */
const MARGIN = 8;

/** A caption in as many lines as it needs, and how tall it is in pixels. */
export function captionOf(
  { name, note = "" }: Caption,
  width: number,
  palette: Pick<Palette, "soft">,
  scale: number,
): { text: string; height: number } {
  const room = LINE_SHARE * width;
  const names = broken(name, NAME_FONT * scale, room);
  const notes = note === "" ? [] : broken(note, NOTE_FONT * scale, room);
  const style = `font-size:${NOTE_FONT * scale}px;font-weight:400;color:${palette.soft}`;
  return {
    text: [...names, ...notes.map((line) => `<span style="${style}">${line}</span>`)].join("<br>"),
    // Plotly spaces all lines of a text alike.
    height: ((names.length + notes.length) * NAME_FONT * LINE + 16) * scale,
  };
}
