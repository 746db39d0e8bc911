/** A control that a lesson's scene may hide, or point at. */

import type { ComponentChildren } from "preact";
import { isHighlighted, offers, scene } from "../state/scene";

interface Props {
  /** By which a scene names it: its property in the address. */
  name: string;
  children: ComponentChildren;
}

export function Control({ name, children }: Props) {
  if (scene.value === null) return <>{children}</>;
  if (!offers(name)) return null;
  return (
    <div class="control" data-highlight={isHighlighted(name)}>
      {children}
    </div>
  );
}
