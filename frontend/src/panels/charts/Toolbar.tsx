/** A chart's small controls; they step back until the chart is pointed at or focused. */

import type { Signal } from "@preact/signals";
import { Icon } from "./icons";
import type { ChartModel } from "./model";

interface Props {
  model: ChartModel;
  table: Signal<boolean>;
  expanded: Signal<boolean>;
  onPicture(): void;
}

export function Toolbar({ model, table, expanded, onPicture }: Props) {
  const { title } = model.choice.value;
  const isHeat = model.template.layout.meta.kind === "heat";
  return (
    <fieldset class="chart-tools" aria-label={`${title}: view`}>
      {model.zoomed.value && (
        <button type="button" onClick={model.resetZoom} title="Show everything again">
          <Icon name="reset" />
          <span class="chart-tool-word">reset zoom</span>
        </button>
      )}
      {!isHeat && (
        <button
          type="button"
          aria-pressed={model.log.value}
          onClick={model.toggleLog}
          title="Logarithmic value axis"
        >
          <span class="chart-tool-word">log</span>
        </button>
      )}
      <Toggle of={table} icon="table" label="Numbers as a table" />
      <button
        type="button"
        onClick={onPicture}
        aria-label="Save as a picture (PNG)"
        title="Save as a picture (PNG)"
      >
        <Icon name="camera" />
      </button>
      <Toggle
        of={expanded}
        icon={expanded.value ? "shrink" : "expand"}
        label={expanded.value ? "Back to its size" : "Make it large"}
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
      title={props.label}
      onClick={() => {
        props.of.value = !props.of.value;
      }}
    >
      <Icon name={props.icon} />
    </button>
  );
}
