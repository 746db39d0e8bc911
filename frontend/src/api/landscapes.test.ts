import { afterEach, describe, expect, it, vi } from "vitest";
import { EventReader, type LandscapePart, streamLandscape } from "./landscapes";

const QUERY = { run: "a", plane: "arms", step: 0, points: 21 } as const;

/** A server that answers with these pieces of text. */
function answering(...pieces: string[]): void {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  vi.stubGlobal("fetch", async () => new Response(body));
}

async function all(stream: AsyncIterable<LandscapePart>): Promise<string[]> {
  const events: string[] = [];
  for await (const { event } of stream) events.push(event);
  return events;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("the parts of a landscape", () => {
  it("are read from text however it is cut", () => {
    const text = 'event: patch\ndata: {"a":1}\n\nevent: done\ndata: {}\n\n';
    for (let cut = 0; cut < text.length; cut += 1) {
      const reader = new EventReader();
      const events = [...reader.read(text.slice(0, cut)), ...reader.read(text.slice(cut))];
      expect(events).toEqual([
        { event: "patch", data: { a: 1 } },
        { event: "done", data: {} },
      ]);
    }
  });

  it("come as the server sends them, until it is done", async () => {
    answering("event: start\ndata: {}\n\nevent: pa", "tch\ndata: {}\n\nevent: done\ndata: {}\n\n");
    const stream = streamLandscape(QUERY, new AbortController().signal);
    expect(await all(stream)).toEqual(["start", "patch"]);
  });

  it("end with the server's words where it cannot make them", async () => {
    answering('event: problem\ndata: {"message":"the weights are not finite"}\n\n');
    const stream = streamLandscape(QUERY, new AbortController().signal);
    await expect(all(stream)).rejects.toThrow("the weights are not finite");
  });

  it("end with words of the page where the server does not answer", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    const stream = streamLandscape(QUERY, new AbortController().signal);
    await expect(all(stream)).rejects.toThrow("The server does not answer.");
  });
});
