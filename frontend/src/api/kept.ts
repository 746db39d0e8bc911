/** Answers that a file brings along: it has no server to ask. */

/** By the request, see `requestKey`; null: there is a server. */
let answers: ReadonlyMap<string, unknown> | null = null;

export function keepAnswers(kept: Iterable<readonly [string, unknown]>): void {
  answers = new Map(kept);
}

export function asksNobody(): boolean {
  return answers !== null;
}

/** The same for every way to write a question down. */
export function requestKey(path: string, question: unknown = null): string {
  return `${path} ${JSON.stringify(sorted(question))}`;
}

/** The answer that was brought along; undefined: none. */
export function keptAnswer(path: string, body: unknown): unknown {
  const question: unknown = typeof body === "string" ? JSON.parse(body) : null;
  return answers?.get(requestKey(path, question));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
}
