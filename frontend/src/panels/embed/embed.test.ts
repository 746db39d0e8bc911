import { describe, expect, it } from "vitest";
import { readAddress } from "../../state/address/compare";
import { fileHref, frameHref, snippet, type Wish } from "./embed";

const run = { path: "runs/3f2a", search: "?step=40&smooth=5&with=1a,2b" };
const wish: Wish = { panel: "loss", arm: 2, theme: "dark", size: "slide" };

describe("a frame", () => {
  it("keeps what the page shows, and adds the panel, the arm and the theme", () => {
    const address = frameHref(run, wish);
    expect(address.startsWith("embed/runs/3f2a?")).toBe(true);
    const state = readAddress(address.slice(address.indexOf("?")));
    expect(state).toMatchObject({ step: 40, smooth: 5, with: ["1a", "2b"] });
    expect(state).toMatchObject({ panel: ["loss"], arm: 2, theme: "dark" });
  });

  it("of the whole page or of the default says nothing more", () => {
    expect(frameHref(run, { ...wish, panel: null, arm: null, theme: "system" })).toBe(
      "embed/runs/3f2a?step=40&smooth=5&with=1a,2b",
    );
    expect(frameHref({ path: "", search: "" }, { ...wish, panel: null, theme: "system" })).toBe(
      "embed",
    );
  });

  it("of another page keeps that page's own settings", () => {
    const gradients = { path: "gradients", search: "?run=3f2a&arm=1" };
    expect(frameHref(gradients, wish)).toBe("embed/gradients?run=3f2a&arm=1&theme=dark");
  });

  it("is HTML that no title and no address breaks", () => {
    const html = snippet('http://lab.test/embed?a=1&b="', "slide", 'A "title" <b>');
    expect(html).toContain('src="http://lab.test/embed?a=1&amp;b=&quot;"');
    expect(html).toContain('title="A &quot;title&quot; &lt;b>"');
    expect(html).toContain('width="960" height="540"');
  });
});

describe("a file", () => {
  it("is of a run alone, with the same state", () => {
    expect(fileHref({ path: "surfaces", search: "" }, wish)).toBeNull();
    const address = new URL(fileHref(run, wish) ?? "", "http://lab.test/");
    expect(address.pathname).toBe("/api/runs/3f2a/export");
    expect(readAddress(address.searchParams.get("view") ?? "")).toMatchObject({
      step: 40,
      panel: ["loss"],
      theme: "dark",
    });
  });
});
