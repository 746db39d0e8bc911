/** A link within the page: a real address, followed without loading anything again. */

import type { ComponentChildren } from "preact";
import { hrefOf, navigate, type Place, place } from "../state/address/router";

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
        const isOther = to.path !== place.peek().path;
        navigate(to);
        if (isOther) scrollTo(0, 0); // as a page that is loaded begins
      }}
    >
      {children}
    </a>
  );
}
