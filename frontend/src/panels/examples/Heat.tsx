/** Pictures that an arm reconstructs from what heat has blurred, beside the truth. */

import type { ComponentChildren } from "preact";
import { formatMeasured } from "../../format";
import { vocabulary } from "../../state/vocabulary";
import { ConditionChart } from "./ConditionChart";
import "./heat.css";
import { type HeatItem, isHeatItem } from "./items";
import type { ExamplesProps, SharedProps } from "./props";

export function Heat({ items, label }: ExamplesProps) {
  return (
    <Pictures>
      {items.filter(isHeatItem).map((item) => (
        <Tile key={item.item} image={item.reconstruction} text={describe(item, label)} />
      ))}
    </Pictures>
  );
}

/** What the network is given, and what it should find. */
export function TrueHeat({ all }: SharedProps) {
  const items = (all[0] ?? []).filter(isHeatItem);
  const rows = [
    { name: "What is seen", of: (item: HeatItem) => item.seen },
    { name: "The truth", of: (item: HeatItem) => item.image },
  ];
  return (
    <>
      {rows.map(({ name, of }) => (
        <div class="examples-row" key={name}>
          <h3>{name}</h3>
          <Pictures>
            {items.map((item) => (
              <Tile key={item.item} image={of(item)} text={`${name}, picture ${item.item + 1}`} />
            ))}
          </Pictures>
        </div>
      ))}
    </>
  );
}

/** Why curvature has something to do here. */
export function HeatNotes({ all }: SharedProps) {
  const conditions = vocabulary.value.conditions.heat ?? [];
  if (conditions.length === 0 || all.length === 0) return null;
  return (
    <div class="drive-notes drive-why">
      <ConditionChart values={conditions} size="side in pixels" here={8} />
      <p>
        <b>Why curvature can win here.</b> Diffusion keeps coarse shapes and removes fine detail: a
        stroke's edge keeps a thousandth of its heat, and its gradient a millionth. The plain
        gradient therefore restores the shapes and hardly the detail. The Newton step (BᵀB + λI)⁻¹
        Bᵀr gives each detail its strength back. λ is Tikhonov's: too large blurs, too small lets
        the noise in.
      </p>
    </div>
  );
}

function Pictures({ children }: { children: ComponentChildren }) {
  return <ol class="heat-pictures">{children}</ol>;
}

function Tile({ image, text }: { image: string | null; text: string }) {
  return (
    <li data-tip={text}>
      {image === null ? (
        <span class="heat-none">
          –<span class="visually-hidden">{text}</span>
        </span>
      ) : (
        <img src={image} alt={text} draggable={false} />
      )}
    </li>
  );
}

function describe({ item, error }: HeatItem, label: string): string {
  const words = error === null ? "not finite" : `error ${formatMeasured(error)}`;
  return `${label}, picture ${item + 1}: ${words}`;
}
