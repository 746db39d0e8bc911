/** A control that explains itself by the glossary, and that a lesson's scene may hide, or point at. */

import type { ComponentChildren } from "preact";
import { saysOf } from "../panels/lesson/Glossary";
import { isHighlighted, offers, scene } from "../state/scene";

interface Props {
  /** By which a scene names it: its property in the address. */
  name: string;
  children: ComponentChildren;
}

export function Control({ name, children }: Props) {
  if (!offers(name)) return null;
  const beside = scene.value !== null;
  return (
    <div
      class={beside ? "control" : undefined}
      data-highlight={beside && isHighlighted(name)}
      data-tip={saysOf(name) ?? undefined}
    >
      {children}
    </div>
  );
}
