// Tables of weights: {rows, columns, values}, values row by row; cells that a row may not look at are 0.

// A text with a number for each allowed cell of `count` tables, as `count` whole tables.
function spread(map, numbers, count) {
  const rows = map.rows.length, columns = map.columns.length, tables = [];
  let next = 0;
  for (let n = 0; n < count; n++) {
    const values = new Float64Array(rows * columns);
    for (let t = 0; t < rows; t++) {
      for (let s = map.first[t]; s < map.stop[t]; s++) values[t * columns + s] = numbers[next++];
    }
    tables.push(values);
  }
  return tables;
}

// The weights of every layer and head at a checkpoint.
function headsAt(map, checkpoint) {
  return once(map, `weights ${checkpoint}`,
    () => spread(map, shares(map.weights[checkpoint]), map.layers * map.heads));
}

function normsAt(map, checkpoint) {
  return once(map, `norms ${checkpoint}`, () => {
    const all = shares(map.norms[checkpoint]).map((share) => share * map.scales[checkpoint]);
    return Array.from({ length: map.layers * map.heads },
      (_, n) => all.subarray(n * map.columns.length, (n + 1) * map.columns.length));
  });
}

function order(map) {
  return once(map, "order", () => spread(map, wholeNumbers(map.elsewhere.order), 1)[0]);
}

// As attention/counterfactual.py defines them.
const CHANGES = {
  uniform(map, values, t) {
    const columns = map.columns.length, allowed = map.stop[t] - map.first[t];
    for (let s = map.first[t]; s < map.stop[t]; s++) values[t * columns + s] = 1 / allowed;
  },
  permuted(map, values, t) {
    const start = t * map.columns.length;
    const before = values.slice(start, start + map.columns.length);
    for (let s = map.first[t]; s < map.stop[t]; s++) values[start + s] = before[order(map)[start + s]];
  },
  zero_max(map, values, t) {
    const start = t * map.columns.length, row = values.subarray(start, start + map.columns.length);
    row[row.indexOf(Math.max(...row))] = 0;
    const left = row.reduce((sum, weight) => sum + weight, 0);
    if (left > 0) row.forEach((weight, s) => { row[s] = weight / left; });
  },
};

function changedHead(map, values, change) {
  const changed = values.slice();
  for (let t = 0; t < map.rows.length; t++) CHANGES[change](map, changed, t);
  return changed;
}

// Indices of the heads that a view means: one, those of a layer, or all.
function chosenHeads(map, view) {
  const all = [...Array(map.layers * map.heads).keys()];
  if (view.layer === "all") return all;
  const layer = Math.min(view.layer, map.layers - 1);
  if (view.head === "mean") return all.slice(layer * map.heads, (layer + 1) * map.heads);
  return [layer * map.heads + Math.min(view.head, map.heads - 1)];
}

// Where the change of a view takes place, as view/tables.py numbers it: all, each layer, each head.
function placeOf(map, view) {
  if (view.layer === "all") return 0;
  const layer = Math.min(view.layer, map.layers - 1);
  if (view.head === "mean") return 1 + layer;
  return 1 + map.layers + layer * map.heads + Math.min(view.head, map.heads - 1);
}

// The table that a view shows: the mean over its heads.
function tableOf(map, view, checkpoint = view.checkpoint) {
  const heads = chosenHeads(map, view), sum = new Float64Array(map.rows.length * map.columns.length);
  const byNorm = view.by === "norm" && map.norms;
  for (const n of heads) {
    const own = headsAt(map, checkpoint)[n];
    const values = view.change === "none" ? own : changedHead(map, own, view.change);
    const norms = byNorm ? normsAt(map, checkpoint)[n] : null;
    values.forEach((weight, i) => { sum[i] += norms ? weight * norms[i % map.columns.length] : weight; });
  }
  return sum.map((total) => total / heads.length);
}

function rowOf(map, table, t) {
  return Array.from(table.subarray(t * map.columns.length, (t + 1) * map.columns.length));
}

function columnOf(map, table, s) {
  return map.rows.map((_, t) => table[t * map.columns.length + s]);
}
