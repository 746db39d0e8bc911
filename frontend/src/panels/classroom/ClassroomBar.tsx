/** What a presentation says on the teacher's page, and on the pages that follow. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isLoopback } from "../../state/address/router";
import { presenting } from "../../state/signals";
import {
  dismiss,
  type FollowState,
  follow,
  followedPresentation,
  leavePresentation,
} from "./follower";
import { panelAt } from "./pointing";
import { endPresentation, type Presentation, pointed, pointing, presentation } from "./teacher";

export function ClassroomBar() {
  const given = presentation.value;
  const followed = followedPresentation.value;
  return (
    <>
      {given !== null && <TeacherBar presentation={given} />}
      {given !== null && presenting.value && <Corner presentation={given} />}
      {followed !== null && <FollowerBar id={followed.id} state={followed.state} />}
    </>
  );
}

function codeOf({ id, link }: Presentation): string {
  // The link is part of the address, so that the picture changes with it.
  return `api/presentations/${id}/qr.svg?${new URLSearchParams({ link })}`;
}

function TeacherBar({ presentation: given }: { presentation: Presentation }) {
  const isCodeShown = useSignal(true);
  usePointing();
  const others = given.followers === 1 ? "1 page follows" : `${given.followers} pages follow`;
  return (
    <section class="classroom" aria-label="Presentation">
      {isCodeShown.value && !presenting.value && (
        <img class="classroom-code" src={codeOf(given)} alt={`QR code of ${given.link}`} />
      )}
      <p>
        Others follow at <a href={given.link}>{given.link}</a>
        {isForHereAlone(given.link) && (
          <>
            {" "}
            (on this machine only; for a class, start the lab with <code>--host 0.0.0.0</code>)
          </>
        )}
        <br />
        <span aria-live="polite">{others}</span>
      </p>
      <div class="classroom-actions">
        <button
          type="button"
          aria-pressed={isCodeShown.value}
          onClick={() => {
            isCodeShown.value = !isCodeShown.value;
          }}
        >
          QR code
        </button>
        <button
          type="button"
          aria-pressed={pointing.value}
          data-tip="Marks the panel under your pointer on every page that follows"
          onClick={() => {
            pointing.value = !pointing.value;
          }}
        >
          Point at panels
        </button>
        <button type="button" onClick={() => void endPresentation()}>
          End
        </button>
      </div>
    </section>
  );
}

function isForHereAlone(link: string): boolean {
  return isLoopback(new URL(link).hostname);
}

/** While it is on, the panel under the pointer is the one that is pointed at. */
function usePointing(): void {
  useSignalEffect(() => {
    if (!pointing.value) {
      pointed.value = null;
      return;
    }
    const move = ({ target }: PointerEvent) => {
      pointed.value = panelAt(target);
    };
    document.addEventListener("pointerover", move);
    return () => document.removeEventListener("pointerover", move);
  });
}

/** On the projector: where to go, large enough for the last row. */
function Corner({ presentation: given }: { presentation: Presentation }) {
  return (
    <aside class="classroom-corner" aria-label="Follow this presentation">
      <img src={codeOf(given)} alt={`QR code of ${given.link}`} />
      <p>{given.link.replace(/^https?:\/\//, "")}</p>
    </aside>
  );
}

const WORDS: Record<FollowState, string> = {
  waiting: "Waiting for the teacher’s page…",
  following: "This page goes where the teacher’s page goes.",
  lost: "The presentation does not answer; this page tries again by itself.",
  left: "You have left the presentation.",
  over: "The presentation is over. All that it showed stays here to try.",
};

function FollowerBar({ id, state }: { id: string; state: FollowState }) {
  useEffect(() => {
    document.documentElement.toggleAttribute("data-follows", state === "following");
  }, [state]);
  return (
    <section class="classroom" aria-label="Presentation">
      <p aria-live="polite">{WORDS[state]}</p>
      <div class="classroom-actions">
        {state === "left" ? (
          <button type="button" onClick={() => follow(id)}>
            Follow again
          </button>
        ) : (
          state !== "over" && (
            <button type="button" onClick={leavePresentation}>
              Leave
            </button>
          )
        )}
        {(state === "left" || state === "over") && (
          <button type="button" onClick={dismiss}>
            Close
          </button>
        )}
      </div>
    </section>
  );
}
