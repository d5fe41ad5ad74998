// What the model says, word by word: beside the words that the page writes, and beside what it said by itself.
function saidNow(sentence, map) {
  const own = decodeSaid(sentence.said[view.checkpoint], sentence.written.length);
  if (view.change === "none") return { own, now: own };
  const all = decodeSaid(map.elsewhere.said[view.change]), steps = sentence.written.length;
  const place = placeOf(map, view);
  return { own, now: all.slice(place * steps, (place + 1) * steps) };
}

function drawOutput(place, sentence, map) {
  const { own, now } = saidNow(sentence, map), changed = view.change !== "none";
  place.replaceChildren(...sentence.written.map((word, n) => {
    const step = now[n], before = changed ? own[n].word : word, other = step.word !== before;
    const title = changed
      ? `${own[n].word} ${short(own[n].best)} → ${step.word} ${short(step.best)}; probabilities move by ${short(step.moved)}`
      : `says ${step.word} with ${short(step.best)}; ${word} has ${short(step.written)}`;
    const height = changed ? step.moved : step.written;
    return html("li", { class: other ? "step other" : "step", title },
      html("span", { class: "was" }, before), html("span", { class: "now" }, other ? step.word : ""),
      html("span", { class: "bar", "aria-hidden": true }, html("i", { style: `width:${(100 * height).toFixed(1)}%` })),
      html("span", { class: "number" }, short(height)));
  }));
}

// How much a change does: words that become others, and the mean movement of the probabilities.
function effect(sentence, map, change) {
  const own = decodeSaid(sentence.said[PAGE.selected], sentence.written.length), steps = own.length;
  const place = placeOf(map, view), all = decodeSaid(map.elsewhere.said[change]);
  const now = all.slice(place * steps, (place + 1) * steps);
  return { words: now.filter((step, n) => step.word !== own[n].word).length, steps,
    moved: now.reduce((sum, step) => sum + step.moved, 0) / steps };
}
