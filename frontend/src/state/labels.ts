/** Names that the spec writes as identifiers, as people write them. */

import { humanise } from "./schema";

/** By option, or by `field.option` where one word means different things. */
const NAMES: Record<string, string> = {
  // Tasks
  ranking: "Rank images by their numbers",
  classification: "Recognise digits",
  shortest_path: "Find the shortest path on a map",
  surface: "Walk down a surface",
  // Losses
  neuralsort: "NeuralSort",
  softsort: "SoftSort",
  logistic_dsn: "Logistic sorting network",
  cauchy_dsn: "Cauchy sorting network",
  gaussian_dsn: "Gaussian sorting network",
  reciprocal_dsn: "Reciprocal sorting network",
  optimal_dsn: "Optimal sorting network",
  bellman_ford: "Relaxed Bellman-Ford",
  smoothed_loss: "Stochastic smoothing of the loss",
  smoothed_algorithm: "Stochastic smoothing of the algorithm",
  perturbed_fy: "Perturbed optimizer, Fenchel-Young",
  cross_entropy: "Cross-entropy",
  binary_cross_entropy: "Binary cross-entropy",
  squared_error: "Squared error",
  styblinski_tang: "Styblinski-Tang",
  monkey_saddle: "Monkey saddle",
  odd_even: "Odd-even transposition",
  bitonic: "Bitonic",
  // Data and networks
  digits: "8 × 8 digits, side by side",
  digit_images: "8 × 8 digits",
  mnist: "MNIST digits, side by side",
  mnist_images: "MNIST digits",
  folder: "Your own images",
  mlp: "Multilayer perceptron",
  cnn: "Convolutional, as in the paper",
  relu: "ReLU",
  // Settings
  bce_loss: "BCELoss, as in the literature",
  log_domain: "Log domain, exact",
  "curvature.none": "None: vanilla",
  "curvature.hessian": "Hessian",
  "curvature.fisher": "Empirical Fisher",
  batch_mean: "Mean over the batch (the paper)",
  per_sample: "Each sample its own",
  "definiteness.raw": "Raw (the paper)",
  "definiteness.clip": "Clip at zero",
  saddle_free: "Saddle-free",
  adam: "Adam",
  sgd: "SGD",
  "gradient.plain": "Plain",
  "gradient.clip": "Clipped per sample",
  "gradient.normalise": "Normalised per sample",
};

export function optionLabel(field: string, option: string): string {
  return NAMES[`${field}.${option}`] ?? NAMES[option] ?? humanise(option);
}
