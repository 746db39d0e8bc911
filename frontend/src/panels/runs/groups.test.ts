import { expect, it } from "vitest";
import { inGroups } from "./groups";

it("groups keep the order of the list, and of their first runs", () => {
  const runs = ["b1", "a1", "b2", "c1", "a2"];
  expect(inGroups(runs, (run) => run.slice(0, 1))).toEqual([
    { name: "b", items: ["b1", "b2"] },
    { name: "a", items: ["a1", "a2"] },
    { name: "c", items: ["c1"] },
  ]);
  expect(inGroups(runs, () => "")).toEqual([{ name: "", items: runs }]);
});
