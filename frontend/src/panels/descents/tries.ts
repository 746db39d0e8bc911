/** Starts on the plane of three scores from which the descents part, each for another reason. */

export interface Try {
  title: string;
  loss: string;
  numerics: "log_domain" | "bce_loss";
  temperature: number;
  across: number;
  up: number;
}

export const TRIES: readonly Try[] = [
  {
    title: "Vanilla gets stuck, Newton gets through",
    loss: "softsort",
    numerics: "bce_loss",
    temperature: 0.05,
    across: 0.75,
    up: -0.5,
  },
  {
    title: "The same in the log domain: all get through",
    loss: "softsort",
    numerics: "log_domain",
    temperature: 0.05,
    across: 0.75,
    up: -0.5,
  },
  {
    title: "Only Fisher gets through",
    loss: "softsort",
    numerics: "bce_loss",
    temperature: 0.1,
    across: -1,
    up: -1.2,
  },
  {
    title: "Only vanilla gets through",
    loss: "softsort",
    numerics: "bce_loss",
    temperature: 0.1,
    across: -1.22,
    up: -1.41,
  },
];
