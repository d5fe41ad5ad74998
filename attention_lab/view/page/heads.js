// Small pictures of every layer and head, which are the choosers.
function drawHeads(place) {
  const map = mapShown(), rows = [];
  place.closest("section").hidden = map.layers * map.heads === 1;
  const button = (layer, head, name) => {
    const pressed = view.layer === layer && view.head === head;
    const canvas = html("canvas", { "aria-hidden": true });
    paint(canvas, map, tableOf(map, { ...view, layer, head, change: "none" }));
    return html("button", { class: "head", "aria-pressed": pressed, title: name, "aria-label": name,
      "data-layer": layer, "data-head": head, onclick: () => set({ layer, head }) }, canvas);
  };
  const header = html("div", { class: "heads-row labels" }, html("span"));
  if (map.heads > 1) header.append(...Array.from({ length: map.heads }, (_, h) => html("span", {}, h + 1)));
  header.append(html("span", {}, map.heads > 1 ? "mean" : ""));
  if (map.heads > 1) rows.push(header);
  for (let layer = 0; layer < map.layers; layer++) {
    const cells = [html("span", { class: "layer" }, map.layers > 1 ? layer + 1 : "")];
    if (map.heads > 1) {
      for (let head = 0; head < map.heads; head++) {
        cells.push(button(layer, head, `layer ${layer + 1}, head ${head + 1}`));
      }
    }
    cells.push(button(layer, "mean", map.heads > 1 ? `layer ${layer + 1}, mean over heads` : "the only head"));
    rows.push(html("div", { class: "heads-row" }, ...cells));
  }
  if (map.layers > 1) {
    const blanks = Array.from({ length: map.heads > 1 ? map.heads : 0 }, () => html("span"));
    rows.push(html("div", { class: "heads-row" }, html("span", { class: "layer" }, "all"), ...blanks,
      button("all", "mean", "mean over all layers and heads")));
  }
  place.style.setProperty("--heads", map.heads > 1 ? map.heads + 1 : 1);
  place.replaceChildren(...rows);
}

function paint(canvas, map, table) {
  const rows = map.rows.length, columns = map.columns.length, most = tops(map, table, view.scale);
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  const stops = palette().scale;
  for (let t = 0; t < rows; t++) {
    for (let s = 0; s < columns; s++) {
      const at = 4 * (t * columns + s), seen = s >= map.first[t] && s < map.stop[t];
      const [red, green, blue] = mixed(table[t * columns + s] / most[t], stops);
      image.data.set([red, green, blue, seen ? 255 : 0], at);
    }
  }
  context.putImageData(image, 0, 0);
}
