// What a table gets wrong, held against the truth of a sentence, in whole words.

// Sums over the parts of a column's word, means over those of a row's, as evaluation/alignment.py merges them.
function inWords(map, table) {
  const count = (numbers) => Math.max(-1, ...numbers) + 1;
  const rows = count(map.rowWords), columns = count(map.columnWords), S = map.columns.length;
  const parts = Array(rows).fill(0), words = Array.from({ length: rows }, () => Array(columns).fill(0));
  map.rowWords.forEach((row, t) => {
    if (row < 0) return;
    parts[row] += 1;
    map.columnWords.forEach((column, s) => { if (column >= 0) words[row][column] += table[t * S + s]; });
  });
  return words.map((row, n) => row.map((weight) => weight / parts[n]));
}

// The column with the largest weight of each row, the first of a tie; -1 of a row of zeros.
function largest(words) {
  return words.map((row) => {
    const most = Math.max(...row);
    return most > 0 ? row.indexOf(most) : -1;
  });
}

// [wrong, of]: parts of the alignment error rate (Och & Ney 2003), or rows that look most at another word.
function wrongs(map, table, truth) {
  const links = map.links[truth] || [];
  if (!links.length) return [0, 0];
  const looks = largest(inWords(map, table));
  const right = new Set(links.map(([row, column]) => `${row} ${column}`));
  const hit = (row) => right.has(`${row} ${looks[row]}`);
  if (truth === "alignment") {
    const predicted = looks.map((_, row) => row).filter((row) => looks[row] >= 0);
    const found = predicted.filter(hit).length, all = predicted.length + right.size;
    return [all - 2 * found, all];
  }
  const rows = [...new Set(links.map(([row]) => row))];
  return [rows.filter((row) => !hit(row)).length, rows.length];
}

// The error rate of what a view shows, in one sentence or in all; null where there is no truth.
function errorRate(view, sentences, truth, checkpoint = view.checkpoint) {
  let wrong = 0, of = 0;
  for (const sentence of sentences) {
    const map = sentence.maps[view.kind];
    if (!map || !(map.links[truth] || []).length) continue;
    const pair = wrongs(map, tableOf(map, view, checkpoint), truth);
    wrong += pair[0];
    of += pair[1];
  }
  return of ? wrong / of : null;
}

// Cells that a truth outlines: every part of a linked row's word with every part of the column's.
function outlined(map, truth) {
  const right = new Set((map.links[truth] || []).map(([row, column]) => `${row} ${column}`)), cells = [];
  map.rowWords.forEach((row, t) => map.columnWords.forEach((column, s) => {
    if (right.has(`${row} ${column}`)) cells.push([t, s]);
  }));
  return cells;
}

// The truths that any sentence has for a kind of attention.
function truthsOf(kind) {
  return [...new Set(PAGE.sentences.flatMap((sentence) => Object.keys((sentence.maps[kind] || {}).links || {})))];
}
