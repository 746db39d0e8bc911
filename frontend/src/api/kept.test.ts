import { afterAll, describe, expect, it } from "vitest";
import { ApiError, request, send } from "./client";
import { keepAnswers, requestKey } from "./kept";

describe("a file's answers", () => {
  afterAll(() => keepAnswers([]));

  it("are found however a question is written, and nothing else is asked", async () => {
    keepAnswers([
      ["api/lessons null", ["lesson"]],
      [requestKey("api/surfaces", { steps: 1, loss: { name: "rosenbrock" } }), { walks: [] }],
    ]);
    expect(await request("api/lessons")).toEqual(["lesson"]);
    const question = { loss: { name: "rosenbrock", expression: undefined }, steps: 1.0 };
    expect(await send("POST", "api/surfaces", question)).toEqual({ walks: [] });
    await expect(send("POST", "api/surfaces", { steps: 2 })).rejects.toThrow(ApiError);
    await expect(request("api/runs")).rejects.toThrow("This file");
  });
});
