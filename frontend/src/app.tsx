/** The frame around every page. */

import { useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { PAGES } from "./pages/list";
import { ClassroomBar } from "./panels/classroom/ClassroomBar";
import { follow, presentationIdOf } from "./panels/classroom/follower";
import { EmbedDialog } from "./panels/embed/EmbedDialog";
import { Header } from "./panels/header/Header";
import { Help, help } from "./panels/header/Help";
import { TermDialog } from "./panels/lesson/Glossary";
import { loadGlossary } from "./panels/lesson/lessons";
import { mainAction } from "./panels/transport/Transport";
import { embedded, place } from "./state/address/router";
import { shortcuts, startKeys } from "./state/keys";
import { presenting } from "./state/signals";
import { Announcer } from "./ui/announce";
import { Link } from "./ui/Link";
import { Tooltip } from "./ui/tooltip";

const KEYS = shortcuts(mainAction, () => {
  help.value = true;
});

export function App() {
  const page = PAGES.find((candidate) => candidate.matches(place.value.path));
  const isInvited = presentationIdOf(place.value.path) !== null;
  useEffect(() => startKeys(KEYS), []);
  useEffect(() => void loadGlossary(), []);
  useSignalEffect(() => {
    document.documentElement.toggleAttribute("data-present", presenting.value);
    document.documentElement.toggleAttribute("data-embedded", embedded.value);
  });
  useSignalEffect(() => {
    const id = presentationIdOf(place.value.path);
    if (id !== null) follow(id);
  });
  useSignalEffect(() => {
    const shown = PAGES.find((candidate) => candidate.matches(place.value.path));
    const name = shown?.name?.() ?? shown?.title ?? "Nothing here";
    document.title = `${name} · Newton Lab`;
  });
  return (
    <>
      {!embedded.value && <SkipLink />}
      {!embedded.value && <Header />}
      {!embedded.value && <ClassroomBar />}
      {page !== undefined ? <page.Page /> : isInvited ? <Invited /> : <NotFound />}
      <Help shortcuts={KEYS} />
      <TermDialog />
      <EmbedDialog />
      <Announcer />
      <Tooltip />
    </>
  );
}

/** Past the header, for those who go by keyboard. */
function SkipLink() {
  const skip = () => {
    const main = document.querySelector("main");
    main?.setAttribute("tabindex", "-1");
    main?.focus();
  };
  return (
    <button type="button" class="skip-link" onClick={skip}>
      Skip to the content
    </button>
  );
}

/** Until the teacher's page has said where it is. */
function Invited() {
  return (
    <main class="runs">
      <section class="panel empty">
        <h2>A presentation</h2>
        <p>This page will show what the teacher’s page shows, as soon as it says where it is.</p>
      </section>
    </main>
  );
}

function NotFound() {
  return (
    <main class="runs">
      <section class="panel empty">
        <h2>There is nothing here</h2>
        <p>The address leads to no page of the lab.</p>
        <Link to={{ path: "", search: "" }} class="button go">
          Open the lab
        </Link>
      </section>
    </main>
  );
}
