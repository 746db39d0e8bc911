/** Small controls of a chart or a picture; they step back until it is pointed at or focused. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { PictureFormat } from "../../charts/image";
import { Icon } from "./icons";
import "./toolbar.css";

interface Props {
  /** What they act on. */
  title: string;
  table: Signal<boolean>;
  expanded: Signal<boolean>;
  onPicture(format: PictureFormat): void;
  /** Controls of its own, before those that all have. */
  children?: ComponentChildren;
}

export function Toolbar({ title, table, expanded, onPicture, children }: Props) {
  const tools = useRef<HTMLFieldSetElement>(null);
  const isLarge = expanded.value;
  const wasLarge = useRef(isLarge);
  // Large, or small again, it lies elsewhere: the page goes with it.
  useLayoutEffect(() => {
    if (wasLarge.current === isLarge) return;
    wasLarge.current = isLarge;
    tools.current?.closest(".chart, .picture-card")?.scrollIntoView({ block: "nearest" });
  }, [isLarge]);
  return (
    <fieldset class="chart-tools" aria-label={`${title}: view`} ref={tools}>
      {children}
      <Toggle of={table} icon="table" label="Numbers as a table" />
      <button
        type="button"
        onClick={() => onPicture("png")}
        aria-label="Save as a picture (PNG)"
        data-tip="Save as a picture (PNG), at a slide's size"
      >
        <Icon name="camera" />
      </button>
      <button
        type="button"
        onClick={() => onPicture("svg")}
        aria-label="Save as a drawing (SVG)"
        data-tip="Save as a drawing (SVG), to be edited"
      >
        <span class="chart-tool-word">svg</span>
      </button>
      <Toggle
        of={expanded}
        icon={isLarge ? "shrink" : "expand"}
        label={isLarge ? "Back to its size" : "Make it large"}
      />
    </fieldset>
  );
}

function Toggle(props: {
  of: Signal<boolean>;
  icon: "table" | "expand" | "shrink";
  label: string;
}) {
  return (
    <button
      type="button"
      aria-pressed={props.of.value}
      aria-label={props.label}
      data-tip={props.label}
      onClick={() => {
        props.of.value = !props.of.value;
      }}
    >
      <Icon name={props.icon} />
    </button>
  );
}
