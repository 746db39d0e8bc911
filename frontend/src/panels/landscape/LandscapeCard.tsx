/** One landscape of the loss over weights: an arm's own, or one that all arms share. */

import { useComputed, useSignal } from "@preact/signals";
import { landscapeFigure } from "../../charts/landscapeFigure";
import type { Template } from "../../charts/templates";
import { formatCount } from "../../format";
import { armName as nameOf } from "../../state/arms";
import { runSpec, styles, textScale } from "../../state/signals";
import { paletteOf } from "../../state/theme";
import { PictureCard } from "../charts/PictureCard";
import { aspectOf, residualWords, type ShownLandscape } from "./model";

interface Props {
  shown: ShownLandscape;
  template: Template;
  colours: [number, number] | null;
  log: boolean;
  surface: boolean;
  /** Makes a surface of it; null where all are contours. */
  onSurface: (() => void) | null;
}

/** An arm by its name. */
export function armName(arm: number): string {
  return nameOf(runSpec.value?.arms, arm);
}

/** An arm's colour as Plotly takes it. */
export function armColour(template: Template, arm: number): string {
  const { arms } = paletteOf(template);
  const slot = styles.value[arm]?.slot ?? 0;
  return (arms[slot] ?? arms[0])?.color ?? "#808080";
}

export function LandscapeCard(props: Props) {
  const { shown, surface, onSurface } = props;
  const names = shown.arms.map(armName);
  const isShared = shown.arms.length > 1;
  const given = useSignal(props);
  given.value = props;
  const figure = useComputed(() => {
    const { shown: now, template, colours, log, surface: deep } = given.value;
    const [only] = now.arms;
    return landscapeFigure({
      template,
      palette: paletteOf(template),
      landscape: now.landscape,
      log,
      colours,
      surface: deep,
      paths: now.paths.map((path) => ({
        points: path.points,
        name: armName(path.arm),
        says: path.steps.map((step) => `${armName(path.arm)} at step ${formatCount(step)}`),
        here: true,
        look: {
          colour: armColour(template, path.arm),
          dash: "solid",
          marker: styles.value[path.arm]?.marker ?? "circle",
        },
      })),
      titles: ["first direction", "second direction"],
      label: now.arms.length === 1 && only !== undefined ? `${armName(only)}: loss` : "loss",
      scale: textScale.value,
    });
  });
  return (
    <div
      class="landscape"
      data-surface={surface}
      data-shared={isShared}
      style={surface ? undefined : { "--aspect": aspectOf(shown.landscape) }}
    >
      <h3>
        {shown.arms.map((arm) => (
          <span key={arm}>
            <b style={{ color: styles.value[arm]?.ink }}>{armName(arm)}</b>{" "}
            <small data-tip="Of the way from the first weights, the part that this picture cannot show">
              {residualWords(shown.paths.find((path) => path.arm === arm)?.residual ?? null)}
            </small>
          </span>
        ))}
      </h3>
      <PictureCard
        figure={figure}
        title={`Loss landscape of ${names.join(", ")} at step ${formatCount(shown.step)}`}
        note={shown.paths
          .map(
            ({ arm, residual }) =>
              `${isShared ? `${armName(arm)}: ` : ""}${residualWords(residual)}`,
          )
          .join("; ")}
        label={`Loss around the weights of ${names.join(", ")} at step ${shown.step}`}
      />
      {onSurface !== null && !surface && (
        <button type="button" onClick={onSurface}>
          Show in 3-D
        </button>
      )}
    </div>
  );
}
