import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** Plotly without maps and depth: a third of the whole, and all that a report's charts need. */
const PLOTLY = "node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js";

const plotly: Plugin = {
  name: "plotly",
  generateBundle() {
    const source = readFileSync(new URL(PLOTLY, import.meta.url), "utf-8");
    this.emitFile({ type: "asset", fileName: "plotly.js", source });
  },
};

/** The report: classic scripts and one style sheet, which the server puts into one HTML file. */
export default defineConfig({
  plugins: [plotly],
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist/report",
    emptyOutDir: true,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    cssCodeSplit: false,
    lib: {
      entry: "src/report.tsx",
      formats: ["iife"],
      name: "NewtonLabReport",
      fileName: () => "report.js",
      cssFileName: "report",
    },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});
