import { describe, expect, it } from "vitest";
import { followersPlace, presentationIdOf } from "./follower";

const BASE = "http://lab.example/newton-lab/";

describe("where a page that follows goes", () => {
  it("is where the teacher's page is, under its own base", () => {
    expect(followersPlace("runs/3f2a?step=500", BASE)).toEqual({
      path: "runs/3f2a",
      search: "?step=500",
    });
    expect(followersPlace("", BASE)).toEqual({ path: "", search: "" });
    expect(followersPlace("?preset=heat", BASE)).toEqual({ path: "", search: "?preset=heat" });
  });

  it("keeps the reader's own look and pace", () => {
    const { search } = followersPlace("runs/3f2a?present=1&speed=50&theme=dark&step=7", BASE);
    expect(search).toBe("?step=7");
  });

  it("tells invitations from other paths", () => {
    expect(presentationIdOf("follow/0123456789ab")).toBe("0123456789ab");
    expect(presentationIdOf("follow/nonsense")).toBeNull();
    expect(presentationIdOf("runs/0123456789ab")).toBeNull();
  });
});
