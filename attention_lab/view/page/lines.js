// Lines between words: on the left those that are looked at, on the right those that look.
const GAP = 150, LEAST_LINE = 18;

function sideWidth(words) {
  return Math.max(...words.map((word) => widthOf(label(word)))) + 16;
}

function linesWidth(map) {
  return sideWidth(map.columns) + GAP + sideWidth(map.rows);
}

function linesBetween(map, table, { top, cell }) {
  const colours = palette(), left = sideWidth(map.columns), right = sideWidth(map.rows), gap = GAP;
  const line = Math.max(LEAST_LINE, cell);
  // The words that look stand beside their rows of the heat map; the others fill the same height.
  const at = (words, n) => top + line * (words === map.rows || words.length === 1 ? n + 0.5
    : 0.5 + n * (Math.max(map.rows.length, words.length * LEAST_LINE / line) - 1) / (words.length - 1));
  const most = tops(map, table, view.scale), marks = [];
  const head = (text, x, anchor) => svg("text", { x, y: top - 14, "font-size": 11, fill: colours.muted,
    "text-anchor": anchor }, text);
  marks.push(head("looked at", left - 8, "end"), head("looks", left + gap + 8, "start"));
  const curve = (t, s) => {
    const y0 = at(map.columns, s), y1 = at(map.rows, t);
    return `M${left} ${y0}C${left + gap * 0.45} ${y0} ${left + gap * 0.55} ${y1} ${left + gap} ${y1}`;
  };
  map.rows.forEach((_, t) => {
    for (let s = map.first[t]; s < map.stop[t]; s++) {
      const share = Math.min(1, table[t * map.columns.length + s] / most[t]);
      if (share >= 0.02) {
        marks.push(svg("path", { class: "line", "data-r": t, "data-c": s, d: curve(t, s), fill: "none",
          stroke: colours.scale[themeShown() === "dark" ? 3 : 4], "stroke-width": 0.6 + 3.4 * share,
          "stroke-opacity": Math.max(0.06, share * 0.9) }));
      }
    }
  });
  for (const [t, s] of view.truth === "none" ? [] : outlined(map, view.truth)) {
    marks.push(svg("path", { class: "truth", "data-r": t, "data-c": s, d: curve(t, s), fill: "none",
      stroke: colours.truth, "stroke-width": 1.4, "stroke-dasharray": "3 4", "pointer-events": "none" }));
  }
  map.columns.forEach((word, s) => marks.push(svg("text", { class: "word", "data-c": s, x: left - 8,
    y: at(map.columns, s) + 4.5, "text-anchor": "end", fill: colours.ink, tabindex: 0 }, label(word))));
  map.rows.forEach((word, t) => marks.push(svg("text", { class: "word", "data-r": t, x: left + gap + 8,
    y: at(map.rows, t) + 4.5, fill: colours.ink, tabindex: 0 }, label(word))));
  const last = Math.max(at(map.rows, map.rows.length - 1), at(map.columns, map.columns.length - 1));
  return drawing(left + gap + right, last + line, "lines between words", ...marks);
}
