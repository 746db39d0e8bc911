/** A modal dialog: the browser's own, which traps the focus and closes with Escape. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./Icon";

interface Props {
  open: Signal<boolean>;
  title: string;
  children: ComponentChildren;
}

export function Dialog({ open, title, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = open.value;

  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open === isOpen) return;
    if (isOpen) element.showModal();
    else element.close();
  }, [isOpen]);

  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-label={title}
      onClose={() => {
        open.value = false;
      }}
    >
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          class="quiet"
          aria-label="Close"
          onClick={() => {
            open.value = false;
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
