import { describe, expect, it } from "vitest";
import { captionOf } from "./image";
import { textWidth } from "./labelRoom";

describe("a caption", () => {
  const palette = { soft: "#555555" };
  const name = "Hessian: gradient and Newton step, true lengths";
  const plain = (text: string) => text.replace(/<span[^>]*>|<\/span>/g, "").split("<br>");

  it("has no line that is wider than its picture", () => {
    for (const width of [250, 340, 900]) {
      const { text } = captionOf(
        { name, note: "Curvature turns the step by 41°" },
        width,
        palette,
        1,
      );
      for (const line of plain(text)) expect(textWidth(line, 11)).toBeLessThanOrEqual(width);
      expect(plain(text).join(" ")).toBe(`${name} Curvature turns the step by 41°`);
    }
  });

  it("is as tall as its lines", () => {
    const one = captionOf({ name: "Short" }, 900, palette, 1);
    const two = captionOf({ name: "Short", note: "and a note" }, 900, palette, 1);
    expect(two.height).toBeGreaterThan(one.height + 11);
    expect(captionOf({ name: "Short" }, 900, palette, 2).height).toBe(2 * one.height);
  });
});
