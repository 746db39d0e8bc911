/** What a file holds in one element: JSON, compressed (gzip) and in letters (base64). */

const TOO_OLD = "This browser is too old to unpack this file: use one of 2023 or later.";

/** The content of an element; where the browser cannot unpack it, `root` says so: null. */
export async function unpacked<T>(data: HTMLElement, root: HTMLElement): Promise<T | null> {
  if (typeof DecompressionStream === "undefined") {
    root.textContent = TOO_OLD;
    return null;
  }
  const bytes = Uint8Array.from(atob((data.textContent ?? "").trim()), (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).json()) as T;
}
