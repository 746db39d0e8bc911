/** Landscapes of a run's loss on demand: a stream, coarse to fine (`POST /api/landscapes`). */

import { ApiError, errorOf } from "./client";
import { asksNobody, keptAnswer } from "./kept";
import type { Asked, Schemas } from "./types";

export type LandscapeQuery = Asked<
  Schemas["ParameterLandscapeRequest"],
  "run" | "plane" | "step" | "points"
>;
export type LandscapeStart = Schemas["LandscapeStart"];
export type LandscapePatch = Schemas["LandscapePatch"];

export type LineQuery = Asked<
  Schemas["LineLandscapeRequest"],
  "space" | "run" | "step" | "start" | "end"
>;
export type LineLandscape = Schemas["LineLandscape"];

export type StepQuery = Asked<Schemas["StepRequest"], "space" | "run">;
export type StepSeen = Schemas["StepSeen"];

export type TurnQuery = Schemas["TurnRequest"];
export type TurnAnswer = Schemas["TurnAnswer"];

export type AnyLandscapeQuery = LandscapeQuery | LineQuery | StepQuery | TurnQuery;

type StreamEvent = Schemas["LandscapeStreamEvent"];

/** What of a landscape comes at a time. */
export type LandscapePart = Exclude<StreamEvent, { event: "problem" | "done" }>;

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

/** What a file knows a picture by; null: the landscapes of all arms over their weights. */
interface KeptQuestion {
  space: string | null;
  run: string;
  step: number;
  arm: number | null;
}

function kept({ space, run, step, arm }: KeptQuestion): unknown {
  return keptAnswer("api/landscapes", JSON.stringify({ space, run, step, arm }));
}

/** What a file has brought along: landscapes, and steps of arms as their panel first asks for them. */
function keptParts(query: AnyLandscapeQuery): LandscapePart[] {
  const found = kept({ arm: null, space: null, step: 0, ...query });
  if (found === undefined) throw new ApiError("it is not in this file: the lab computes it", 0);
  return (Array.isArray(found) ? found : [found]) as LandscapePart[];
}

/** Whether a file has brought along the landscapes of a run at a step. */
export function keepsLandscapes(run: string, step: number): boolean {
  return kept({ space: null, run, step, arm: null }) !== undefined;
}

/** A panel whose pictures are of one arm at a snapshot; files keep some of them. */
export type ArmPanel = "step" | "turn";

/** Those of the snapshots' steps of which there is a picture: all where a server can be asked. */
export function picturedSteps(panel: ArmPanel, run: string, steps: readonly number[]): number[] {
  const has = (step: number) => kept({ space: panel, run, step, arm: 0 }) !== undefined;
  return steps.filter((step) => !asksNobody() || has(step));
}

/**
 * Asks for a landscape, and gives its parts as they come; `signal` ends the computation on the
 * server too. Throws `ApiError`, also where the server cannot make it.
 */
export async function* streamLandscape(
  query: AnyLandscapeQuery,
  signal: AbortSignal,
): AsyncGenerator<LandscapePart> {
  if (asksNobody()) {
    yield* keptParts(query);
    return;
  }
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
