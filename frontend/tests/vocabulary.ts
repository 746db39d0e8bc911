/** The vocabulary of unit tests, in the form that the server gives it; vitest sets it up. */

import { vocabulary } from "../src/state/vocabulary";

const exactMatch = {
  name: "exact_match",
  title: "Exact match",
  unit: "of the test sets",
  description: "Sets that are ranked right.",
  kind: "share" as const,
  better: "higher" as const,
  scale: "linear" as const,
  bounds: [0, 1] as [number, number],
  decimals: 1,
  sampled: true,
  sentence: "ranks {value} of the sets right",
  primary: true,
};

vocabulary.value = {
  metrics: { tasks: { ranking: [exactMatch] }, steps: [] },
  labels: {
    arm: {
      hessian: "Hessian",
      fisher: "Fisher",
      plain: "Vanilla",
      clip: "Clipped",
      ggn: "Gauss-Newton",
      fisher_length: "Fisher's length",
      fisher_length_sample: "Fisher's length, each sample",
      normalise: "Normalised",
    },
  },
  thresholds: { vanishing: 1e-6, exploding: 10, spike_factor: 10 },
  arm_styles: ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"].map(
    (symbol, index) => ({
      name: `colour ${index}`,
      dash: index === 0 ? "solid" : `${index}px`,
      symbol,
      light: { color: "#000000", ink: "#000000" },
      dark: { color: "#ffffff", ink: "#ffffff" },
    }),
  ),
  up_to_constant: ["perturbed_fy"],
  conditions: {},
};
