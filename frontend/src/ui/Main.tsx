/** The main part of a page; beside a lesson, which is the main part then, a part of it. */

import type { ComponentChildren } from "preact";
import { scene } from "../state/scene";

export function Main(props: { class: string; children: ComponentChildren }) {
  return scene.value === null ? <main {...props} /> : <div {...props} />;
}
