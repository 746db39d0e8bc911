/** Templates and views for unit tests, in the form that the server gives them. */

import type { Choice, Palette, Role, Template, TemplateMeta } from "../src/charts/templates";
import type { View } from "../src/charts/view";
import type { ArmStyle } from "../src/state/arms";
import type { RunLog } from "../src/state/log";

const COLOURS: Palette = {
  panel: "#ffffff",
  ink: "#111111",
  soft: "#555555",
  faint: "#777777",
  line: "#dddddd",
  grid: "#eeeeee",
  accent: "#0000ff",
  warn: "#ff0000",
  gradient: "#aa0033",
  curvature: "#6600bb",
  damping: "#775500",
  arms: [
    { color: "#808080", ink: "#606060" },
    { color: "#0072b2", ink: "#0072b2" },
    { color: "#d55e00", ink: "#b95000" },
  ],
};

export function choice(settings: Partial<Choice> = {}): Choice {
  return {
    metric: "loss",
    title: "Loss",
    unit: "batch mean",
    hover: "%{y:.3r}",
    description: "The loss.",
    log: true,
    signed: false,
    factor: 1,
    bounds: [null, null],
    source: "metrics",
    task: null,
    ...settings,
  };
}

export function template(
  meta: Partial<TemplateMeta> = {},
  roles: Role[] = ["ghost", "band", "raw", "smooth", "label"],
): Template {
  const { source = "metrics" } = meta;
  const choices = (meta.choices ?? [choice()]).map((one) => ({ ...one, source }));
  return {
    data: roles.map((role) => ({
      type: "scatter",
      meta: { arm: "*", metric: choices[0]?.metric ?? "", role },
      line: { width: 1 },
      opacity: 0.5,
      textfont: { size: 12 },
    })),
    layout: {
      meta: {
        chart: "loss",
        kind: "curves",
        source,
        span: "small",
        palettes: { light: COLOURS, dark: { ...COLOURS, panel: "#000000" } },
        ...meta,
        choices,
      },
      margin: { l: 40, r: 40, t: 10, b: 20 },
      xaxis: {},
      yaxis: {},
    },
  };
}

const STYLES: ArmStyle[] = [0, 1, 2].map((slot) => ({
  slot,
  colour: `var(--arm-${slot})`,
  ink: `var(--arm-${slot}-ink)`,
  dash: slot === 0 ? "solid" : "7px,3px",
  marker: "circle",
}));

export function view(log: RunLog, settings: Partial<View> = {}): View {
  const from = settings.template ?? template();
  return {
    template: from,
    choice: from.layout.meta.choices[0] as Choice,
    layers: [{ log, kind: "main", name: "" }],
    styles: STYLES,
    palette: COLOURS,
    cursor: log.head,
    x: "step",
    xLog: false,
    yLog: false,
    smoothing: 1,
    thresholds: { vanishing: -4, exploding: 1 },
    zoom: { x: null, y: null },
    width: 340,
    height: 180,
    scale: 1,
    ...settings,
  };
}
