/** What the page shows now, as an address. */

import { PAGES } from "../../pages/list";
import { hrefOf, type Place, place, placeOf } from "../../state/address/router";

export function here(): Place {
  const page = PAGES.find((one) => one.matches(place.value.path));
  return (page?.here ?? page?.place)?.() ?? placeOf(location.href, document.baseURI);
}

/** The same, relative to the lab. */
export function addressHere(): string {
  const to = here();
  return to.path === "" ? to.search : hrefOf(to);
}
