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

/** Plotly, once its script has run. Rejects, in words, where the script cannot be had. */
export function plotly(): Promise<PlotlyStatic> {
  loading ??= new Promise((resolve, reject) => {
    const ready = (): boolean => {
      if (window.Plotly === undefined) return false;
      resolve(window.Plotly);
      return true;
    };
    if (ready()) return;
    const failed = () => reject(new Error("The charts' library did not load: reload the page."));
    const script = document.getElementById("plotly");
    script?.addEventListener("load", () => ready() || failed());
    script?.addEventListener("error", failed);
    // Without a script of its own, or one that failed before we listened: the page's load decides.
    if (document.readyState === "complete" && script === null) failed();
    else window.addEventListener("load", () => ready() || failed());
  });
  return loading;
}
