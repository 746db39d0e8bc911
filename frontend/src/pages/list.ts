/** The pages, in the order of the navigation. A new page is one entry. */

import type { ComponentType } from "preact";
import { comparePlace } from "../state/address";
import type { Place } from "../state/router";
import { runIdOf } from "../state/router";
import { ComparePage } from "./Compare";
import { GradientsPage, gradientsQuery } from "./Gradients";
import { RunsPage } from "./Runs";
import { SurfacesPage, surfacesQuery } from "./Surfaces";
import { ThreeNumbersPage, threeNumbersQuery } from "./ThreeNumbers";

export interface Page {
  title: string;
  /** Where its link leads. */
  place(): Place;
  /** Whether it shows what `path` names. */
  matches(path: string): boolean;
  Page: ComponentType;
}

export const PAGES: readonly Page[] = [
  {
    title: "Compare",
    place: comparePlace,
    matches: (path) => path === "" || runIdOf(path) !== null,
    Page: ComparePage,
  },
  {
    title: "Surfaces",
    place: surfacesQuery.place,
    matches: (path) => path === "surfaces",
    Page: SurfacesPage,
  },
  {
    title: "Three numbers",
    place: threeNumbersQuery.place,
    matches: (path) => path === "three-numbers",
    Page: ThreeNumbersPage,
  },
  {
    title: "Gradients",
    place: gradientsQuery.place,
    matches: (path) => path === "gradients",
    Page: GradientsPage,
  },
  {
    title: "Runs",
    place: () => ({ path: "runs", search: "" }),
    matches: (path) => path === "runs",
    Page: RunsPage,
  },
];
