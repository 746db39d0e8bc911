/** The lab beside a lesson, in the lesson's address: a link and a page that follows show the same. */

import type { SceneView } from "../../api/types";
import { comparePlace, readAddress } from "../../state/address/compare";
import { type Place, place, runIdOf } from "../../state/address/router";
import { goTo, pause, play } from "../../state/clock";
import { scene } from "../../state/scene";
import { open } from "../../state/session";
import { runId } from "../../state/signals";
import { addressOf } from "./drive";
import { LAB, lessonOf, saysLab } from "./lessons";

/** The lesson's page, and what its lab shows now. */
export function lessonHere(): Place {
  const { path, search } = place.value;
  const now = scene.peek();
  if (lessonOf(path) === null || now === null) return { path, search };
  const page = new URLSearchParams(search).get("page");
  const said = new URLSearchParams(page === null ? "" : { page });
  said.set(LAB, "1");
  if (now.page === "compare") {
    const shown = comparePlace();
    const run = runIdOf(shown.path);
    if (run === null) return { path, search: page === null ? "" : `?page=${page}` };
    said.set("run", run);
    const { step } = readAddress(shown.search);
    if (step !== null) said.set("step", `${step}`);
  } else {
    const settings = new URLSearchParams(addressOf(now.page)?.place().search);
    for (const [name, value] of settings) said.set(name, value);
  }
  return { path, search: `?${said}` };
}

let opening = "";

/** Shows in the lab beside a scene what an address says of it. */
export function showShared(now: SceneView | null, search: string): void {
  if (now === null || !saysLab(search)) return;
  if (now.page !== "compare") {
    addressOf(now.page)?.show(search);
    return;
  }
  const id = new URLSearchParams(search).get("run");
  const { step } = readAddress(search);
  if (id === null || id === opening) return;
  if (id === runId.peek()) {
    if (step === null) play();
    else {
      pause();
      goTo(step);
    }
    return;
  }
  opening = id;
  void open(id, step).then((found) => {
    opening = "";
    // The teacher may have gone on meanwhile.
    if (found && lessonOf(place.peek().path) !== null)
      showShared(scene.peek(), place.peek().search);
  });
}
