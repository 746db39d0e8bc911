import { defineConfig } from "vitest/config";
import { devPlaceholders } from "./tools/dev.ts";

/** Where the server answers while the page is developed (`npm run dev`). */
const server = process.env.NEWTON_LAB_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  plugins: [devPlaceholders(server)],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": server, "/assets": server } },
  test: {
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
    setupFiles: ["tests/vocabulary.ts"],
  },
});
