/** Sweeps on the server: ask for one, look at it, follow it, stop it, remove it. */

import { request, send } from "./client";
import type { Asked, Schemas } from "./types";

export type SweepRequest = Asked<Schemas["SweepRequest"], "grid">;
export type SweepInfo = Schemas["SweepInfo"];
export type SweepDetail = Schemas["SweepDetail"];
export type SweptRecord = Schemas["SweptRecord"];
export type SweepReport = Schemas["SweepReport"];
export type SweptAxis = Schemas["SweptAxis"];
export type Scalar = SweptAxis["values"][number];

const addressOf = (id: string) => `api/sweeps/${encodeURIComponent(id)}`;

export function listSweeps(): Promise<Schemas["SweepPage"]> {
  return request("api/sweeps?limit=30");
}

export function getSweep(id: string): Promise<SweepDetail> {
  return request(addressOf(id));
}

/** Starts a sweep, or goes on with the one of the same wish. */
export function postSweep(wish: SweepRequest): Promise<Schemas["SubmittedSweep"]> {
  return send("POST", "api/sweeps", wish);
}

export function stopSweep(id: string): Promise<SweepInfo> {
  return send("POST", `${addressOf(id)}/stop`);
}

/** Removes a sweep; its cells are kept for others. */
export function removeSweep(id: string): Promise<void> {
  return send("DELETE", addressOf(id));
}

export interface SweepHandlers {
  onCell(record: SweptRecord): void;
  onReport(report: SweepReport): void;
  /** The sweep has ended: nothing more comes. */
  onEnd(): void;
}

/** Follows a sweep from after an event; the browser connects again by itself. Returns how to stop. */
export function followSweep(id: string, after: number, handlers: SweepHandlers): () => void {
  const source = new EventSource(`${addressOf(id)}/events?after=${after}`);
  const on = (type: string, hear: (data: string) => void) => {
    source.addEventListener(type, (event) => hear((event as MessageEvent<string>).data));
  };
  on("cell", (data) => handlers.onCell(JSON.parse(data) as SweptRecord));
  on("report", (data) => handlers.onReport(JSON.parse(data) as SweepReport));
  for (const end of ["finished", "failed", "cancelled"]) {
    on(end, () => {
      source.close();
      handlers.onEnd();
    });
  }
  return () => source.close();
}
