/** The pages, in the order of the navigation. A new page is one entry. */

import type { ComponentType } from "preact";
import { gradientsAddress } from "../panels/gradients/address";
import { lesson, lessonOf } from "../panels/lesson/lessons";
import { lessonHere } from "../panels/lesson/shared";
import { comparePlace } from "../state/address/compare";
import { type Place, place, runIdOf } from "../state/address/router";
import { draft, presetOf } from "../state/draft";
import { runSpec } from "../state/signals";
import { ComparePage } from "./Compare";
import { GradientsPage } from "./Gradients";
import { LessonsPage } from "./Lessons";
import { ResultsPage, resultsAddress } from "./Results";
import { RunsPage } from "./Runs";
import { SurfacesPage, surfacesAddress } from "./Surfaces";
import { SweepsPage, sweepIdOf } from "./Sweeps";
import { ThreeNumbersPage, threeNumbersAddress } from "./ThreeNumbers";

export interface Page {
  title: string;
  /** What it shows now, for the browser's tab; else its title. */
  name?(): string;
  /** Where its link leads. */
  place(): Place;
  /** Where it is now, if that is another place. */
  here?(): Place;
  /** Whether it shows what `path` names. */
  matches(path: string): boolean;
  Page: ComponentType;
}

export const PAGES: readonly Page[] = [
  {
    title: "Compare",
    name: () => presetOf(runSpec.value ?? draft.value)?.title ?? "Your own settings",
    place: comparePlace,
    matches: (path) => path === "" || runIdOf(path) !== null,
    Page: ComparePage,
  },
  {
    title: "Lessons",
    name: () => (lessonOf(place.value.path) === null ? null : lesson.value?.title) ?? "Lessons",
    place: () => ({ path: "lessons", search: "" }),
    here: lessonHere,
    matches: (path) => path === "lessons" || lessonOf(path) !== null,
    Page: LessonsPage,
  },
  {
    title: "Surfaces",
    place: surfacesAddress.place,
    matches: (path) => path === "surfaces",
    Page: SurfacesPage,
  },
  {
    title: "Three numbers",
    place: threeNumbersAddress.place,
    matches: (path) => path === "three-numbers",
    Page: ThreeNumbersPage,
  },
  {
    title: "Gradients",
    place: gradientsAddress.place,
    matches: (path) => path === "gradients",
    Page: GradientsPage,
  },
  {
    title: "Results",
    place: resultsAddress.place,
    matches: (path) => path === "results",
    Page: ResultsPage,
  },
  {
    title: "Runs",
    place: () => ({ path: "runs", search: "" }),
    matches: (path) => path === "runs",
    Page: RunsPage,
  },
  {
    title: "Sweeps",
    place: () => ({ path: "sweeps", search: "" }),
    here: () => place.value,
    matches: (path) => path === "sweeps" || sweepIdOf(path) !== null,
    Page: SweepsPage,
  },
];
