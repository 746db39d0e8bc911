import { defineConfig } from "vite";

/** The charts on their own (`npx vite build dev`): for looking and measuring, never shipped. */
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: "../node_modules/.charts-dev",
    rollupOptions: { input: new URL("./charts.html", import.meta.url).pathname },
  },
});
