// A word that is pointed at, or pinned by a click: where it looks, and who looks at it.
const SHOWN_WORDS = 5;

function describe(map, table, word) {
  const side = word[0], n = Number(word.slice(1));
  const [own, others, values] = side === "r" ? [map.rows, map.columns, rowOf(map, table, n)]
    : [map.columns, map.rows, columnOf(map, table, n)];
  const best = [...values.keys()].filter((i) => values[i] > 0).sort((a, b) => values[b] - values[a]);
  const parts = best.slice(0, SHOWN_WORDS).map((i) => [others[i], short(values[i])]);
  return [own[n], side === "r" ? "looks at" : "is looked at by", parts];
}

// Fades all but the word's cells and lines, and the words at their other ends by their weight.
function highlight(figure, map, table, word) {
  figure.classList.toggle("focused", word !== "");
  if (!word) {
    for (const node of figure.querySelectorAll("[data-r],[data-c]")) node.style.opacity = "";
    return;
  }
  const side = word[0], n = Number(word.slice(1));
  const values = side === "r" ? rowOf(map, table, n) : columnOf(map, table, n);
  const most = Math.max(...values) || 1;
  for (const node of figure.querySelectorAll("[data-r],[data-c]")) {
    const row = node.dataset.r, column = node.dataset.c;
    if (row !== undefined && column !== undefined) {
      node.style.opacity = Number(side === "r" ? row : column) === n ? "1" : node.classList.contains("line") ? "0.04" : "0.18";
    } else {
      const own = (row === undefined ? "c" : "r") === side, index = Number(row === undefined ? column : row);
      const shown = own ? (index === n ? 1 : 0.25) : 0.2 + 0.8 * values[index] / most;
      node.style.opacity = String(shown);
    }
  }
}

// The word under a pointer; a cell's is that of its row.
function wordAt(target) {
  const node = target.closest && target.closest("[data-r],[data-c]");
  if (!node) return "";
  return node.dataset.r !== undefined ? `r${node.dataset.r}` : `c${node.dataset.c}`;
}

function drawReadout(place, map, table, word, cell) {
  place.replaceChildren();
  if (cell) {
    const [t, s] = cell;
    place.append(html("b", {}, map.rows[t]), " looks at ", html("b", {}, map.columns[s]), ": ",
      short(table[t * map.columns.length + s]));
  } else if (word) {
    const [own, verb, parts] = describe(map, table, word);
    place.append(html("b", {}, own), ` ${verb} `);
    parts.forEach(([other, weight], i) => place.append(i ? ", " : "", html("b", {}, other), ` ${weight}`));
    if (!parts.length) place.append("nothing");
  } else {
    place.append(html("span", { class: "muted" }, "Point at a word to see where it looks and who looks at it; click to keep it."));
  }
}
