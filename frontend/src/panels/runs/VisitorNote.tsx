/** What a shared lab keeps of its visitors, and where codes are given. */

import { send } from "../../api/client";
import { place } from "../../state/address/router";
import { visitor } from "./visitor";

export function VisitorNote() {
  const known = visitor.value;
  if (known === null || !(known.told_apart || known.takes_codes)) return null;
  return (
    <p class="hint visitor-note">
      {known.told_apart &&
        "A random cookie tells visitors apart. The lab asks for no name, keeps none, and follows nobody. "}
      {known.own_runs_only &&
        (known.is_admin
          ? "As the admin you may stop, name, pin and remove all runs. "
          : "You may stop, name, pin and remove the runs that you started. Everyone may look at all. ")}
      {known.takes_codes && !known.is_admin && (
        <a href={`enter?next=/${encodeURIComponent(place.value.path)}`}>Enter the admin’s code</a>
      )}
      {known.is_admin && (
        <button type="button" class="link" onClick={() => void leave()}>
          Leave as the admin
        </button>
      )}
    </p>
  );
}

/** Forgets the codes; a lab with an access code then asks for it. */
async function leave(): Promise<void> {
  await send("DELETE", "api/visitor");
  location.reload();
}
