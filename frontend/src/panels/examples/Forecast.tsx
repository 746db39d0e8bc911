/** Each arm's forecasts over the truth, with threads between what dynamic time warping aligns. */

import type { ComponentChildren } from "preact";
import { describeForecast, forecastsOf, frameOf, HIGH, tallyForecasts, WIDE } from "./forecasts";
import "./forecast.css";
import "./pictures.css";
import type { ForecastItem } from "./items";
import type { ExamplesProps, SharedProps } from "./props";

export function Forecast({ items, label, look }: ExamplesProps) {
  const shown = forecastsOf(items);
  return (
    <figure class="arm-pictures" style={{ color: look.colour }}>
      <ol class="forecast-pictures">
        {shown.map((item) => (
          <li key={item.item} data-tip={describeForecast(item, label)}>
            <Window item={item} text={describeForecast(item, label)} />
          </li>
        ))}
      </ol>
      <figcaption>{tallyForecasts(shown)}</figcaption>
    </figure>
  );
}

/** How to read the pictures, and what curvature is like here. */
export function ForecastNotes(_: SharedProps) {
  return (
    <div class="drive-notes">
      <ul class="map-legend">
        <Key name="seen">what the network sees</Key>
        <Key name="wanted">how it goes on</Key>
        <Key name="line">the arm's forecast</Key>
        <Key name="thread">steps that the alignment pairs</Key>
      </ul>
      <p class="forecast-why">
        <b>What the Hessian is like here.</b> Soft-DTW lets an event come early or late. Where one
        alignment is clearly the best, the Hessian is diagonal: twice the number of true steps that
        each step stands for. Where several compete, as they mostly do here, it has negative
        eigenvalues: on the way from one alignment to another lies a ridge.
      </p>
    </div>
  );
}

function Window({ item, text }: { item: ForecastItem; text: string }) {
  const { seen, wanted, forecast, pairs, now } = frameOf(item);
  return (
    <svg class="forecast-picture" viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={text}>
      <line class="forecast-now" x1={now} x2={now} y1="0" y2={HIGH} />
      <path class="forecast-thread" d={pairs} />
      <polyline class="forecast-seen" points={seen} />
      <polyline class="forecast-wanted" points={wanted} />
      <polyline class="forecast-line" points={forecast} />
    </svg>
  );
}

function Key({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <li>
      <svg viewBox="0 0 24 10" aria-hidden="true">
        <path class={`forecast-${name} forecast-any`} d="M2 5H22" />
      </svg>
      {children}
    </li>
  );
}
