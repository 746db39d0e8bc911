// What a reader gets of the page: its charts' arrays and layouts, its pictures, its fields.
// Plotly keeps its own notes under names that begin with "_", and gives traces a random uid.
() => {
  const isOwn = (name) => name.startsWith("_") || name === "uid";
  const plain = (value) => {
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    if (value instanceof Node || typeof value === "function") return undefined;
    if (ArrayBuffer.isView(value)) return Array.from(value, plain);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.keys(value).filter((name) => !isOwn(name));
    return Object.fromEntries(kept.sort().map((name) => [name, plain(value[name])]));
  };
  const isDrawing = (name) => !["class", "style", "id"].includes(name);
  const attributes = (node) =>
    [...node.attributes]
      .filter(({ name }) => isDrawing(name))
      .map(({ name, value }) => `${name}=${value}`)
      .sort();
  const plots = [...document.querySelectorAll(".js-plotly-plot")];
  const inPlot = (node) => node.closest(".js-plotly-plot") !== null;
  const all = (selector) => [...document.querySelectorAll(selector)].filter((n) => !inPlot(n));
  return {
    title: document.title,
    text: document.body.innerText.split("\n"),
    charts: plots.map((plot) => ({
      name: plot.closest("[aria-label]")?.getAttribute("aria-label") ?? null,
      data: plain(plot.data ?? []),
      layout: plain(plot.layout ?? {}),
    })),
    fields: all("input, select, textarea").map((field) => [
      field.tagName.toLowerCase(),
      field.type,
      field.value,
      field.checked ?? null,
      field.disabled,
      field.min ?? null,
      field.max ?? null,
      field.getAttribute("aria-valuetext"),
      field.tagName === "SELECT" ? [...field.options].map((o) => [o.value, o.text]) : null,
    ]),
    links: all("a[href]").map((link) => [link.innerText, link.getAttribute("href")]),
    images: all("img").map((image) => [image.alt, image.getAttribute("src")]),
    drawings: all("svg").map((svg) =>
      [svg, ...svg.querySelectorAll("*")].map((node) => [node.tagName, ...attributes(node)]),
    ),
    canvases: all("canvas").map((canvas) => canvas.toDataURL()),
  };
}
