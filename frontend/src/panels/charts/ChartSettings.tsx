/** How all charts draw, in one quiet line: what x counts, the scales, the smoothing. */

import type { ComponentChildren } from "preact";
import { formatCount } from "../../format";
import { type Axis, chartSettings } from "../../state/signals";
import { fitted, setAllScales } from "./model";

const WIDTHS = [1, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

export function ChartSettings() {
  const { x, xAxis, yAxis, smoothing } = chartSettings;
  const widths = WIDTHS.includes(smoothing.value) ? WIDTHS : [...WIDTHS, smoothing.value];
  return (
    <fieldset class="chart-settings">
      <legend class="chart-settings-name">All charts</legend>
      <Quiet
        label="x"
        help="What the horizontal axes count: updates of the weights, or each arm's own computing time"
        value={x.value}
        onChange={(value) => {
          x.value = value === "seconds" ? "seconds" : "step";
        }}
      >
        <option value="step">step</option>
        <option value="seconds">seconds</option>
      </Quiet>
      <Quiet
        label="x scale"
        help="A logarithmic scale stretches the beginning"
        value={xAxis.value}
        onChange={(value) => {
          xAxis.value = value as Axis;
        }}
      >
        <option value="linear">linear</option>
        <option value="log">log</option>
      </Quiet>
      <Quiet
        label="y scale"
        help="The scale of all value axes; each chart has one that fits it"
        value={yAxis.value ?? "auto"}
        onChange={(value) => {
          setAllScales(value === "auto" ? null : (value as Axis));
        }}
      >
        <option value="auto">automatic</option>
        <option value="linear">linear</option>
        <option value="log">log</option>
      </Quiet>
      <Quiet
        label="smoothing"
        help="Running mean of the recorded values, which stay visible behind it; on a log scale it is the mean of their logarithms"
        value={`${smoothing.value}`}
        onChange={(value) => {
          smoothing.value = Number(value);
        }}
      >
        <option value="0">
          automatic ({fitted.value === 1 ? "none" : formatCount(fitted.value)})
        </option>
        {widths
          .filter((width) => width > 0)
          .map((width) => (
            <option key={width} value={width}>
              {width === 1 ? "none" : `${formatCount(width)} points`}
            </option>
          ))}
      </Quiet>
    </fieldset>
  );
}

function Quiet(props: {
  label: string;
  help: string;
  value: string;
  onChange(value: string): void;
  children: ComponentChildren;
}) {
  return (
    <label class="chart-setting" data-tip={props.help}>
      {props.label}
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.children}
      </select>
    </label>
  );
}
