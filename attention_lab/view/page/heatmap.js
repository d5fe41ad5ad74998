// The heat map: a row for each word that looks, a column for each that is looked at.
const TILT = 55 * Math.PI / 180;

const SMALLEST_CELL = 15, LARGEST_CELL = 34;

// Places in pixels: of a map that has `room` from left to right.
function frameOf(map, room) {
  const widths = map.columns.map((word) => widthOf(label(word)));
  const left = Math.max(...map.rows.map((word) => widthOf(label(word)))) + 14;
  const fitting = Math.min((room - left - 24) / map.columns.length, 620 / map.rows.length);
  const cell = Math.max(SMALLEST_CELL, Math.min(LARGEST_CELL, Math.floor(fitting)));
  const right = Math.max(0, ...widths.map((width, s) =>
    width * Math.cos(TILT) - (map.columns.length - s - 0.5) * cell)) + 12;
  return { left, cell, right, top: Math.max(...widths) * Math.sin(TILT) + 20 };
}

function heatmap(map, table, { left, cell, right, top }) {
  const colours = palette(), width = left + cell * map.columns.length + right;
  const height = top + cell * map.rows.length + 58;
  const most = tops(map, table, view.scale), marks = [];
  map.columns.forEach((word, s) => marks.push(svg("text", { "data-c": s, class: "word", fill: colours.ink, tabindex: 0,
    transform: `translate(${left + cell * (s + 0.5) + 2} ${top - 7}) rotate(-55)` }, label(word))));
  map.rows.forEach((word, t) => {
    marks.push(svg("text", { "data-r": t, class: "word", fill: colours.ink, "text-anchor": "end", tabindex: 0,
      x: left - 8, y: top + cell * (t + 0.5) + 4.5 }, label(word)));
    for (let s = map.first[t]; s < map.stop[t]; s++) {
      const weight = table[t * map.columns.length + s];
      marks.push(svg("rect", { class: "cell", "data-r": t, "data-c": s, x: left + cell * s + 0.5,
        y: top + cell * t + 0.5, width: cell - 1, height: cell - 1, rx: 2, fill: colour(weight / most[t]) }));
    }
  });
  for (const [t, s] of view.truth === "none" ? [] : outlined(map, view.truth)) {
    marks.push(svg("rect", { class: "truth", "data-r": t, "data-c": s, x: left + cell * s + 2, y: top + cell * t + 2,
      width: cell - 4, height: cell - 4, rx: 2, fill: "none", stroke: colours.truth, "stroke-width": 2,
      "pointer-events": "none" }));
  }
  marks.push(...colourBar(left, height - 38, Math.max(150, Math.min(220, cell * map.columns.length)), map, table));
  return drawing(Math.max(width, left + 170), height, "heat map", ...marks);
}

function colourBar(x, y, width, map, table) {
  const colours = palette(), steps = 40;
  const bars = Array.from({ length: steps }, (_, i) => svg("rect", { x: x + i * width / steps, y,
    width: width / steps + 0.5, height: 8, fill: colour((i + 0.5) / steps) }));
  const what = view.by === "norm" ? "weight × norm of value" : "attention weight";
  const end = view.scale === "row" ? "row’s largest" : short(tops(map, table, "fixed")[0]);
  const note = (text, at, anchor, line = 21) => svg("text", { x: at, y: y + line, "font-size": 11, fill: colours.muted,
    "text-anchor": anchor }, text);
  return [...bars, note("0", x, "start"), note(end, x + width, "end"), note(what, x, "start", 35)];
}
