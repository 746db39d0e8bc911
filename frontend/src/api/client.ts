/** Requests to the server. Addresses are relative, so that they hold under any path prefix. */

import { asksNobody, keptAnswer } from "./kept";
import type { Spec, Submitted } from "./types";

/** What the server says is wrong with one field. */
export interface FieldProblem {
  path: (string | number)[];
  message: string;
}

/** An answer that is no success. `status` 0: no answer at all. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly problems: FieldProblem[] = [],
    /** Seconds after which the server wants to be asked again (429). */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** The JSON that `path` answers with. Throws `ApiError`. */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  if (asksNobody()) return kept(path, init);
  const response = await answered(fetch(path, init));
  if (!response.ok) throw await errorOf(response);
  return response.status === 204 ? (undefined as T) : await answered<T>(response.json());
}

/** The server may go away before its answer, and in the middle of it. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it was given up, or is no JSON
    throw new ApiError("The server does not answer.", 0);
  }
}

/** What a file has brought along. Throws `ApiError` where it has not. */
function kept<T>(path: string, init: RequestInit): T {
  const answer = keptAnswer(path, init.body);
  if (answer === undefined) {
    throw new ApiError("This file holds only what it shows itself: the lab has the rest", 0);
  }
  return answer as T;
}

export function send<T>(
  method: "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const init: RequestInit = signal === undefined ? { method } : { method, signal };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json" };
  }
  return request<T>(path, init);
}

export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const detail =
    typeof body === "object" && body !== null ? (body as { detail?: unknown }).detail : null;
  const problems = Array.isArray(detail) ? detail.flatMap(problemOf) : [];
  const message =
    problems[0]?.message ??
    (typeof detail === "string" ? detail : `The server answered ${response.status}.`);
  const after = Number(response.headers.get("Retry-After"));
  return new ApiError(message, response.status, problems, after > 0 ? after : null);
}

/** One entry of FastAPI's `detail` list; `loc` begins with where the value travelled. */
function problemOf(entry: unknown): FieldProblem[] {
  if (typeof entry !== "object" || entry === null) return [];
  const { loc, msg } = entry as { loc?: unknown; msg?: unknown };
  if (!Array.isArray(loc) || typeof msg !== "string") return [];
  const path = loc[0] === "body" ? loc.slice(1) : loc;
  return [{ path, message: msg.replace(/^Value error, /, "") }];
}

/** Address of a run's export. */
export function exportUrl(id: string, format: string): string {
  return `api/runs/${encodeURIComponent(id)}/export?format=${format}`;
}

/** A file that the server makes, and the name that it has there. Throws `ApiError`. */
export async function requestFile(path: string): Promise<{ content: Blob; name: string }> {
  const response = await answered(fetch(path));
  if (!response.ok) throw await errorOf(response);
  const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  return { content: await answered(response.blob()), name: named?.[1] ?? "" };
}

/** Asks for a run. `from`: a run whose snapshots may serve as its beginning. */
export function submitRun(what: Spec | { preset: string }, from?: string): Promise<Submitted> {
  const query = from === undefined ? "" : `?from=${encodeURIComponent(from)}`;
  return send<Submitted>("POST", `api/runs${query}`, what);
}
