// Lines between words: on the left those that are looked at, on the right those that look.
const LINE_HEIGHT = 26;

function linesBetween(map, table) {
  const colours = palette(), count = Math.max(map.rows.length, map.columns.length);
  const space = (words) => (words.length > 1 ? (count - 1) * LINE_HEIGHT / (words.length - 1) : 0);
  const at = (words, n) => 40 + (words.length > 1 ? n * Math.min(space(words), LINE_HEIGHT * 1.6)
    : (count - 1) * LINE_HEIGHT / 2);
  const left = Math.max(...map.columns.map((word) => widthOf(label(word)))) + 16;
  const right = Math.max(...map.rows.map((word) => widthOf(label(word)))) + 16, gap = 150;
  const most = tops(map, table, view.scale), marks = [];
  const head = (text, x, anchor) => svg("text", { x, y: 14, "font-size": 11, fill: colours.muted,
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
  return drawing(left + gap + right, last + 24, "lines between words", ...marks);
}
