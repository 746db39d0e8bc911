import { describe, expect, it } from "vitest";
import { logOf, started } from "../../../tests/logs";
import type { RunLog } from "../../state/log";
import {
  aspectOf,
  barrierWords,
  fittingPlane,
  loggedLandscapes,
  nearestSnapshot,
  planeWords,
  residualWords,
  sharedRange,
  streamedLandscapes,
  surfacesOf,
  upTo,
  withSurface,
} from "./model";

const slice = (step: number, value: number) => ({
  step,
  plane: {},
  grid: { a: [-1, 1], b: [-1, 1] },
  values: [
    [value, 1],
    [1, null],
  ],
  trajectory: [
    [0, 0, 0],
    [null, 1, 5],
    [0.5, 0.5, step],
  ],
  residual: 0.34,
});

const logged = (arm: number, step: number, value: number) => ({
  ...{ type: "landscape" as const, arm },
  ...slice(step, value),
});
const LOG = logOf([started(), logged(0, 0, 5), logged(0, 100, 3), logged(1, 0, 7)]);

describe("the snapshot that answers", () => {
  it("is the nearest, the earlier of two, as the server has it", () => {
    expect(nearestSnapshot([0, 250, 500], 370)).toBe(250);
    expect(nearestSnapshot([0, 250, 500], 375)).toBe(250);
    expect(nearestSnapshot([0, 250, 500], 376)).toBe(500);
    expect(nearestSnapshot([], 3)).toBeNull();
  });
});

describe("pictures of the log", () => {
  it("are the latest at or before the cursor", () => {
    expect(loggedLandscapes(LOG, 99).map((picture) => picture.step)).toEqual([0, 0]);
    expect(loggedLandscapes(LOG, 100).map((picture) => picture.step)).toEqual([100, 0]);
  });

  it("leave out places that are not finite", () => {
    const [path] = loggedLandscapes(LOG, 0)[0]?.paths ?? [];
    expect(path?.points).toEqual([
      [0, 0],
      [0.5, 0.5],
    ]);
    expect(path?.steps).toEqual([0, 0]);
  });

  it("share one range of heights, or have their own", () => {
    const pictures = loggedLandscapes(LOG, 0);
    expect(sharedRange(pictures, true)).toEqual([1, 7]);
    expect(sharedRange(pictures, false)).toBeNull();
  });
});

describe("pictures of a stream", () => {
  const start = {
    step: 40,
    steps: [0, 40],
    pictures: [0, 1].map((arm) => ({ arms: [arm], plane: "arms" as const, paths: [] })),
  };
  const patch = (picture: number, level: number) => ({
    picture,
    level,
    levels: 3,
    grid: { a: [0], b: [0] },
    values: [[1]],
  });

  it("show what has come and say whether it is all", () => {
    const some = streamedLandscapes(start, new Map([[1, patch(1, 1)]]));
    expect(some.map(({ key, complete }) => [key, complete])).toEqual([["1", false]]);
    expect(streamedLandscapes(start, new Map([[0, patch(0, 2)]]))[0]?.complete).toBe(true);
  });
});

describe("the plane", () => {
  const ended: RunLog = {
    ...LOG,
    status: "finished",
    parameters: 9000,
    snapshots: [
      { step: 0, file: "" },
      { step: 100, file: "" },
    ],
  };
  const running: RunLog = { ...ended, status: "running" };

  it("is nearest to the paths once there are whole paths, and the server can compute it", () => {
    expect(fittingPlane(ended, true)).toBe("trajectory");
    expect(fittingPlane(running, true)).toBe("run");
    expect(fittingPlane(ended, false)).toBe("run");
    expect(fittingPlane({ ...ended, snapshots: [] }, true)).toBe("run");
    expect(fittingPlane({ ...ended, parameters: 2 }, true)).toBe("run");
    expect(fittingPlane(null, true)).toBe("run");
  });

  it("says which it is and why", () => {
    expect(planeWords("trajectory", ended, false, true)).toContain("has ended, so");
    expect(planeWords("trajectory", ended, true, true)).not.toContain("has ended, so");
    expect(planeWords("run", running, false, true)).toContain("Once the run has ended");
    expect(planeWords("run", running, true, true)).not.toContain("Once the run has ended");
    expect(planeWords("run", ended, false, false)).toContain("on its server");
    expect(planeWords("run", { ...ended, parameters: 2 }, false, true)).toContain(
      "all of the loss",
    );
  });

  it("has a barrier between two arms, or none", () => {
    expect(barrierWords(0, [0.1, 0.2])).toContain("No barrier");
    expect(barrierWords(0.34, [0.1, 0.2])).toContain("rises 0.34 above");
    expect(barrierWords(null, [0.1, 0.2])).toContain("not finite");
  });
});

describe("words and surfaces", () => {
  it("say the residual as people do", () => {
    expect(residualWords(0.341)).toBe("34 % of the path lies outside this plane");
    expect(residualWords(0)).toBe("the path lies in this plane");
    expect(residualWords(null)).toBe("where the path lies is not known");
  });

  it("keep at most two surfaces, the newest", () => {
    expect(withSurface(["0", "1"], "2")).toEqual(["1", "2"]);
    expect(withSurface(["0", "1"], "0")).toEqual(["1", "0"]);
  });

  it("are surfaces from the first on where none was chosen, or none of them is there", () => {
    expect(surfacesOf([], ["0", "1", "2"])).toEqual(["0", "1"]);
    expect(surfacesOf(["2"], ["0", "1", "2"])).toEqual(["2"]);
    expect(surfacesOf(["2"], ["0,1,2"])).toEqual(["0,1,2"]);
  });
});

describe("a picture's shape", () => {
  const plane = (wide: number, high: number) => ({
    x: [-wide / 2, wide / 2],
    y: [-high / 2, high / 2],
    values: [
      [1, 2],
      [3, 4],
    ],
  });

  it("is that of its plane with room for the axes", () => {
    expect(aspectOf(plane(2, 2))).toBeCloseTo(256 / 242);
    expect(aspectOf(plane(6, 2))).toBeGreaterThan(2);
    expect(aspectOf(plane(2, 6))).toBe(0.9);
  });

  it("is square where the axes have scales of their own", () => {
    expect(aspectOf(plane(20, 2))).toBe(aspectOf(plane(2, 2)));
  });
});

describe("landscapes of whole paths", () => {
  it("show what had been walked at a step", () => {
    const points: [number, number][] = [
      [0, 0],
      [1, 1],
      [2, 0],
    ];
    const path = { arm: 0, residual: 0.3, steps: [0, 10, 20], points };
    const whole = { key: "0", arms: [0], step: 20, paths: [path], complete: true };
    const [then] = upTo([{ ...whole, landscape: { x: [], y: [], values: [] } }], 10);
    expect(then?.step).toBe(10);
    expect(then?.paths[0]).toEqual({ ...path, steps: [0, 10], points: points.slice(0, 2) });
  });
});
