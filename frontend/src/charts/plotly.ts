/** The little that the charts use of Plotly, which the server serves as a script of its own. */

export type PlotlyTrace = Record<string, unknown>;
export type PlotlyLayout = Record<string, unknown>;

export interface Figure {
  data: PlotlyTrace[];
  layout: PlotlyLayout;
}

/** A container that Plotly has drawn in. */
export interface PlotElement extends HTMLElement {
  on(event: "plotly_relayout", listener: (change: Record<string, unknown>) => void): void;
}

export interface ImageOptions {
  format: "png" | "svg";
  filename: string;
  width: number;
  height: number;
  scale: number;
}

export interface PlotlyStatic {
  react(
    element: HTMLElement,
    data: PlotlyTrace[],
    layout: PlotlyLayout,
    config: Record<string, unknown>,
  ): Promise<PlotElement>;
  downloadImage(figure: Figure, options: ImageOptions): Promise<string>;
  purge(element: HTMLElement): void;
  Icons: { camera: { path: string; width: number; height: number; transform?: string } };
}

declare global {
  interface Window {
    Plotly?: PlotlyStatic;
  }
}

let loading: Promise<PlotlyStatic> | null = null;

/**
 * Plotly, once its script has run. Rejects, in words, where the script cannot be had.
 *
 * The page names the script in a meta element. It is loaded only now, after the page's first frame,
 * because reading its megabytes would keep that frame waiting. A report has it inline.
 */
export function plotly(): Promise<PlotlyStatic> {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly !== undefined) {
      resolve(window.Plotly);
      return;
    }
    const failed = () => reject(new Error("The charts' library did not load: reload the page."));
    const address = document.querySelector<HTMLMetaElement>('meta[name="plotly"]')?.content;
    if (address === undefined) {
      failed();
      return;
    }
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.Plotly === undefined ? failed() : resolve(window.Plotly));
    script.onerror = failed;
    requestAnimationFrame(() => setTimeout(() => document.head.append(script)));
  });
  return loading;
}
