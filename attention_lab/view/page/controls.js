// Choosers of few values: buttons of which one is pressed.
function segmented(field, names) {
  const all = choices(field);
  return all.map((value) => html("button", { "aria-pressed": view[field] === value, "data-field": field,
    "data-value": value, onclick: () => set({ [field]: value }) }, names[value] || String(value)));
}

function drawSentences(place) {
  place.replaceChildren(...PAGE.sentences.map((sentence, i) => html("li", {}, html("button", {
    "aria-pressed": view.sentence === i, "data-sentence": i, onclick: () => set({ sentence: i }) },
    html("span", { class: "text" }, sentence.text), html("span", { class: "answer" }, sentence.answer)))));
}

function drawTruths(place) {
  const sentence = [PAGE.sentences[view.sentence]], truths = truthsOf(view.kind);
  place.closest("section").hidden = truths.length === 0;
  place.replaceChildren(...[...truths, "none"].map((truth) => {
    const here = truth === "none" ? null : errorRate(view, sentence, truth);
    const all = truth === "none" ? null : errorRate(view, PAGE.sentences, truth);
    const rates = truth === "none" ? "" : `${here === null ? "–" : short(here)} · ${short(all)}`;
    return html("button", { class: "option", "aria-pressed": view.truth === truth, "data-field": "truth",
      "data-value": truth, onclick: () => set({ truth }) }, html("span", {}, truth),
      html("span", { class: "number", title: "error rate in this sentence · in all sentences" }, rates));
  }));
}

function drawChanges(place) {
  const sentence = PAGE.sentences[view.sentence], map = mapShown();
  place.closest("section").hidden = !map.elsewhere;
  if (!map.elsewhere) return;
  place.replaceChildren(...Object.entries(CHANGE_NAMES).map(([change, name]) => {
    const does = change === "none" ? null : effect(sentence, map, change);
    return html("button", { class: "option", "aria-pressed": view.change === change, "data-field": "change",
      "data-value": change, onclick: () => set({ change }) }, html("span", {}, name),
      html("span", { class: "number" }, does ? `${does.words} of ${does.steps} · ${short(does.moved)}` : ""));
  }));
}

function whereText() {
  const map = mapShown();
  if (map.layers * map.heads === 1) return "";
  if (view.layer === "all") return "all layers and heads";
  return `layer ${view.layer + 1}${view.head === "mean" ? (map.heads > 1 ? ", mean over heads" : "") : `, head ${view.head + 1}`}`;
}
