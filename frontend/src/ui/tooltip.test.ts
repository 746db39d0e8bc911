import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** An element of the page itself, not a component, with the browser's own tooltip. */
const NATIVE = /<(?!iframe)[a-z][a-z0-9]*\b[^<]*?\stitle=|<title>/g;

it("is the one kind of tooltip: the browser's own comes late, and never on touch or focus", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".tsx"),
  );
  expect(files.length).toBeGreaterThan(50);
  const found = files.flatMap((name) =>
    [...readFileSync(`src/${name}`, "utf8").matchAll(NATIVE)].map(([text]) => `${name}: ${text}`),
  );
  expect(found).toEqual([]);
});
