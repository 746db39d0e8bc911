import { describe, expect, it } from "vitest";
import { joined } from "./joined";

const TERM = '<button class="term" data-tip="one, of many" type="button">two words</button>';

describe("joined", () => {
  it("keeps what touches a button on its line", () => {
    expect(joined(`<p>the ${TERM}'s curve</p>`)).toBe(
      `<p>the <span class="joined-up">${TERM}'s</span> curve</p>`,
    );
    expect(joined(`<p>in (${TERM}).</p>`)).toBe(
      `<p>in <span class="joined-up">(${TERM}).</span></p>`,
    );
  });

  it("leaves buttons between spaces, and what follows a tag, as they are", () => {
    for (const html of [`a ${TERM} b`, `<b>${TERM}</b>`, `${TERM}\n${TERM}`, "no button, here"]) {
      expect(joined(html)).toBe(html);
    }
  });

  it("takes a button whose words are set in type", () => {
    const link = '<button data-lab="a=1" type="button"><code>λ</code> = 1</button>';
    expect(joined(`${link}: so`)).toBe(`<span class="joined-up">${link}:</span> so`);
  });
});
