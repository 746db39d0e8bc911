/** Discs that each arm sees, drawn over the noisy pictures that it is given. */

import type { ComponentChildren } from "preact";
import { runSpec } from "../../state/signals";
import { describeDiscs, discsOf, tallyDiscs } from "./discs";
import "./discs.css";
import "./pictures.css";
import type { DiscsItem } from "./items";
import type { ExamplesProps, SharedProps } from "./props";

type Disc = readonly [number, number, number];

export function Discs({ items, label, look }: ExamplesProps) {
  const shown = discsOf(items);
  return (
    <figure class="arm-pictures" style={{ color: look.colour }}>
      <ol class="discs-pictures">
        {shown.map((item) => (
          <li key={item.item} data-tip={describeDiscs(item, label)}>
            <Picture item={item} text={describeDiscs(item, label)}>
              {(item.wanted ?? []).map((disc) => (
                <Circle key={disc.join()} disc={disc} kind="discs-true" />
              ))}
              {(item.drawn ?? []).map((disc, index) => (
                <Circle key={`${index}`} disc={disc} kind="discs-drawn" />
              ))}
            </Picture>
          </li>
        ))}
      </ol>
      <figcaption>{tallyDiscs(shown)}</figcaption>
    </figure>
  );
}

/** What the network is given. */
export function SeenDiscs({ all }: SharedProps) {
  return (
    <div class="examples-row">
      <h3>What is seen</h3>
      <figure class="arm-pictures">
        <ol class="discs-pictures">
          {discsOf(all[0] ?? []).map((item) => (
            <li key={item.item}>
              <Picture item={item} text={`What is seen, picture ${item.item + 1}`} />
            </li>
          ))}
        </ol>
      </figure>
    </div>
  );
}

/** How to read the pictures, and why curvature has little to do here. */
export function DiscsNotes() {
  const loss = runSpec.value?.loss;
  const sharpness = loss !== undefined && "sharpness" in loss ? Number(loss.sharpness) : 0;
  return (
    <div class="drive-notes">
      <ul class="map-legend">
        <li>
          <svg viewBox="-1 -1 2 2" aria-hidden="true">
            <circle class="discs-night" r="1" />
            <circle class="discs-true" r=".7" />
          </svg>
          the true disc, which no arm is told
        </li>
        <li>
          <svg viewBox="-1 -1 2 2" aria-hidden="true">
            <circle class="discs-night" r="1" />
            <circle class="discs-drawn discs-any" r=".7" />
          </svg>
          the disc that the arm draws
        </li>
      </ul>
      {sharpness > 0 && (
        <div class="drive-why discs-why">
          <EdgeChart sharpness={sharpness} />
          <p>
            <b>Why the gradient comes and goes here.</b> A pixel tells a disc something only where
            the disc's edge runs through it: the slope of the edge, drawn here, is all that the
            gradient has. Inside the disc and far from it nothing is felt; a disc that has shrunk to
            nothing feels nothing at all and stays lost. Centre and radius share the same edge, so
            that a Newton step turns the gradient by little, and curvature has little to gain: a few
            points under SGD, none that can be seen under Adam.
          </p>
        </div>
      )}
    </div>
  );
}

const WIDE = 260;
const HIGH = 96;

/** The light of a disc across its edge, and how much a pixel there feels the disc. */
function EdgeChart({ sharpness }: { sharpness: number }) {
  const places = Array.from({ length: 121 }, (_, index) => index / 60 - 1);
  const light = (place: number) => 1 / (1 + Math.exp(sharpness * place));
  const line = (height: (place: number) => number) =>
    places
      .map((place) => {
        const x = ((place + 1) / 2) * WIDE;
        return `${x.toFixed(1)},${(HIGH - 6 - (HIGH - 16) * height(place)).toFixed(1)}`;
      })
      .join(" ");
  return (
    <svg
      class="discs-edge"
      viewBox={`0 0 ${WIDE} ${HIGH + 16}`}
      role="img"
      aria-label="The light of a disc falls across its edge; the gradient is felt there alone."
    >
      <line class="condition-grid" x1={WIDE / 2} x2={WIDE / 2} y1="0" y2={HIGH} />
      <polyline class="discs-light" points={line(light)} />
      <polyline class="condition-line" points={line((at) => 4 * light(at) * (1 - light(at)))} />
      <text x="2" y={HIGH - 60}>
        light
      </text>
      <text class="discs-felt" x={WIDE / 2 + 18} y="20">
        felt by the gradient
      </text>
      <text x="0" y={HIGH + 13}>
        inside
      </text>
      <text x={WIDE / 2} y={HIGH + 13} text-anchor="middle">
        edge
      </text>
      <text x={WIDE} y={HIGH + 13} text-anchor="end">
        half a side away
      </text>
    </svg>
  );
}

function Picture({
  item,
  text,
  children,
}: {
  item: DiscsItem;
  text: string;
  children?: ComponentChildren;
}) {
  return (
    <svg class="discs-picture" viewBox="-1 -1 2 2" role="img" aria-label={text}>
      {item.seen !== null && (
        <image href={item.seen} x="-1" y="-1" width="2" height="2" preserveAspectRatio="none" />
      )}
      {children}
    </svg>
  );
}

/** A disc that has vanished is a point at its centre. */
function Circle({ disc: [x, y, radius], kind }: { disc: Disc; kind: string }) {
  return <circle class={kind} cx={x} cy={y} r={Math.max(radius, 0.02)} />;
}
