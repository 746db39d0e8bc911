/** A link within the page: a real address, followed without loading anything again. */

import type { ComponentChildren } from "preact";
import { hrefOf, navigate, type Place } from "../state/address/router";

interface Props {
  to: Place;
  children: ComponentChildren;
  class?: string;
  "aria-current"?: "page" | undefined;
  "data-tip"?: string;
}

export function Link({ to, children, ...rest }: Props) {
  return (
    <a
      href={hrefOf(to)}
      {...rest}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
