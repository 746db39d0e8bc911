import type { Plugin } from "vite";

/**
 * Fills in, while developing, what the server fills in when it serves the page: the path it lives
 * under, and the address of the Plotly that the server has.
 */
export function devPlaceholders(server: string): Plugin {
  return {
    name: "newton-lab-dev-placeholders",
    apply: "serve",
    async transformIndexHtml(html) {
      const page = await fetch(server).then(
        (response) => response.text(),
        () => "",
      );
      const plotly = /<meta name="plotly" content="([^"]+)"/.exec(page);
      return html.replaceAll("__ROOT_PATH__", "").replaceAll("__PLOTLY_URL__", plotly?.[1] ?? "");
    },
  };
}
