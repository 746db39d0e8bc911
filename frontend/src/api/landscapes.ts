/** Landscapes of a run's loss on demand: a stream, coarse to fine (`POST /api/landscapes`). */

import { ApiError, errorOf } from "./client";

export interface LandscapeQuery {
  run: string;
  plane: "filter_normalised" | "trajectory" | "principal" | "arms";
  step: number;
  points: number;
}

export interface LandscapePath {
  arm: number;
  /** `[a, b, step]`. */
  points: [number, number, number][];
  residual: number;
}

export interface LandscapeStart {
  /** The snapshot that answers. */
  step: number;
  /** All snapshots. */
  steps: number[];
  pictures: { arms: number[]; plane: string; paths: LandscapePath[] }[];
}

export interface LandscapePatch {
  picture: number;
  level: number;
  levels: number;
  grid: { a: number[]; b: number[] };
  values: (number | null)[][];
}

export interface OutputQuery {
  space: "outputs";
  run: string;
  step: number;
  arm: number;
  sample: number | null;
  /** Samples of the batch that the curvature is taken of. */
  samples: number;
  points: number;
  kind: "coordinates" | "newton" | "eigenvectors";
  /** The outputs that are the coordinates, from 0. */
  first: number;
  second: number;
  /** From the centre to the edge; null: as far as z* needs. */
  span: number | null;
  surrogates: {
    curvature: "hessian" | "fisher";
    tikhonov: number;
    hessian: "batch_mean" | "per_sample";
    definiteness: "raw" | "clip" | "saddle_free";
  }[];
  /** Whether tikhonov is on the quadratic's diagonal. */
  damped: boolean;
}

export interface LineQuery {
  space: "line";
  run: string;
  step: number;
  /** Indices of the arms at 0 and at 1. */
  start: number;
  end: number;
}

export interface LineLandscape {
  step: number;
  line: { t: number[]; values: (number | null)[]; barrier: number | null };
}

interface Arrow {
  components: [number, number];
  length: number;
  outside: number;
}

export interface OutputLandscape {
  step: number;
  /** At the centre, in the order of the outputs. */
  outputs: (number | null)[];
  /** Of one sample's outputs: `[n]`, or rows and columns. */
  shape: number[];
  /** What there is to see of the sample; the values are those of the images that are ranked. */
  sample: { values?: number[]; image?: string; true_path?: [number, number][] };
  slice: {
    a: number[];
    b: number[];
    loss: (number | null)[][];
    gradient: Arrow;
    surrogates: {
      values: (number | null)[][];
      eigenvalues: [number | null, number | null];
      eigenvectors: [[number, number], [number, number]];
      direction: Arrow | null;
      target: [number, number] | null;
      problem: string | null;
    }[];
  };
}

export type AnyLandscapeQuery = LandscapeQuery | OutputQuery | LineQuery;

/** What of a landscape comes at a time. */
export type LandscapePart =
  | { event: "start"; data: LandscapeStart }
  | { event: "patch"; data: LandscapePatch }
  | { event: "slice"; data: OutputLandscape }
  | { event: "line"; data: LineLandscape };

type StreamEvent =
  | LandscapePart
  | { event: "problem"; data: { message: string } }
  | { event: "done"; data: object };

/** Reads Server-Sent Events out of pieces of text, however they are cut. */
export class EventReader {
  private rest = "";

  /** The events that are complete once `text` has come. */
  read(text: string): { event: string; data: unknown }[] {
    const blocks = (this.rest + text).split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      let event = "message";
      const data: string[] = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) event = line.slice(6).trim();
        else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
      }
      return data.length === 0 ? [] : [{ event, data: JSON.parse(data.join("\n")) as unknown }];
    });
  }
}

/**
 * Asks for a landscape, and gives its parts as they come; `signal` ends the computation on the
 * server too. Throws `ApiError`, also where the server cannot make it.
 */
export async function* streamLandscape(
  query: AnyLandscapeQuery,
  signal: AbortSignal,
): AsyncGenerator<LandscapePart> {
  try {
    const response = await fetch("api/landscapes", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(query),
      signal,
    });
    if (!response.ok || response.body === null) throw await errorOf(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const events = new EventReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (const event of events.read(part.value) as StreamEvent[]) {
        if (event.event === "problem") throw new ApiError(event.data.message, 200);
        if (event.event !== "done") yield event;
      }
    }
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error;
    throw new ApiError("The server does not answer.", 0);
  }
}
