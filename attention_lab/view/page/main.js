// The page: built once, drawn after every choice.
const BY_NAMES = { weight: "weight", norm: "weight × norm of value" };
const SCALE_NAMES = { fixed: "one scale", row: "scale by row" };

function section(title, hint, ...children) {
  return html("section", {}, html("h2", {}, title), hint ? html("p", { class: "hint" }, hint) : "", ...children);
}

function build() {
  const slider = html("input", { type: "range", min: 0, step: 1, "aria-label": "checkpoint",
    oninput: (event) => set({ checkpoint: Number(event.target.value) }) });
  document.getElementById("app").append(
    html("header", {}, html("div", {}, html("h1", {}, "Where it looks"),
      html("p", { class: "facts" }, [PAGE.title, ...PAGE.facts.map(([name, value]) => `${name} ${value}`)].join(" · "))),
      html("div", { class: "tools" }, html("button", { id: "save", onclick: saveSvg }, "Save SVG"),
        html("button", { id: "theme", onclick: () => set({ theme: themeShown() === "dark" ? "light" : "dark" }) }),
        html("button", { id: "keys", onclick: toggleHelp, "aria-label": "keys" }, "?"))),
    html("nav", {}, html("h2", {}, "Sentences"), html("ol", { id: "sentences" })),
    html("main", {}, html("div", { class: "bar-row" }, html("div", { class: "segmented", id: "kinds" }),
      html("div", { class: "segmented", id: "bys" }), html("div", { class: "segmented", id: "scales" })),
      html("p", { id: "title" }), html("div", { id: "figure" }), html("p", { id: "readout", "aria-live": "polite" }),
      html("section", { id: "says" }, html("h2", {}), html("p", { class: "hint" }), html("ol", { id: "output" })),
      html("section", { id: "steps" }, html("h2", {}, "In training"),
        html("div", { class: "slide" }, html("button", { class: "play", onclick: play, "aria-label": "play" }, "▶"),
          html("div", { class: "track" }, html("div", { class: "curve" }), slider)),
        html("p", { class: "step-name" }))),
    html("aside", {}, section("Layers and heads", "", html("div", { id: "heads" })),
      section("Truth", "Error rate of the picture: this sentence, all sentences.", html("div", { id: "truths" })),
      section("What if it looked elsewhere?",
        "In the layers and heads that are chosen. Words that become others · how far probabilities move (total variation).",
        html("div", { id: "changes" }))),
    html("dialog", { id: "help", hidden: true, open: true }, html("h2", {}, "Keys"), html("dl", {},
      ...KEYS.flatMap(([key, what]) => [html("dt", {}, key), html("dd", {}, what)]))));
}

function titleText() {
  const parts = [KIND_NAMES[view.kind], whereText(), view.change === "none" ? "" : `if it looks ${CHANGE_NAMES[view.change]}`,
    PAGE.steps.length > 1 ? `step ${PAGE.steps[view.checkpoint].toLocaleString("en")}` : ""];
  return parts.filter(Boolean).join(", ");
}

// Heat map and lines, side by side with their rows at one height where there is room.
function drawFigure(map, table, room) {
  const beside = room - linesWidth(map) - 28;
  const frame = frameOf(map, beside > 280 ? beside : room);
  return [heatmap(map, table, frame), linesBetween(map, table, frame)];
}

function saysText(sentence) {
  const words = sentence.written.length > 1, what = words ? "word" : "class";
  return view.change === "none"
    ? ["What it says", `Upper line: ${sentence.note}. Bar: the probability that the model gives to this ${what}. `
      + `Lower line: the ${what} that the model prefers, where it is another.`]
    : ["What it then says", `${words ? "Each word is predicted after the same words as before. " : ""}`
      + "Bar: how far the probabilities move (total variation)."];
}

// The focused element by its data, so that the element that is drawn in its place can be focused.
function focusedPlace() {
  const node = document.activeElement, data = node ? Object.entries(node.dataset) : [];
  if (!data.length) return () => null;
  const marks = data.map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join("");
  const selector = `#${node.closest("[id]").id} ${node.localName}${marks}`;
  const index = [...document.querySelectorAll(selector)].indexOf(node);
  return () => document.querySelectorAll(selector)[index];
}

function draw() {
  const focused = focusedPlace();
  const sentence = PAGE.sentences[view.sentence], map = mapShown(), table = tableOf(map, view);
  const byId = (id) => document.getElementById(id);
  document.documentElement.dataset.theme = themeShown();
  byId("theme").textContent = themeShown() === "dark" ? "Light" : "Dark";
  drawSentences(byId("sentences"));
  byId("kinds").replaceChildren(...segmented("kind", KIND_NAMES));
  byId("bys").replaceChildren(...segmented("by", BY_NAMES));
  byId("scales").replaceChildren(...segmented("scale", SCALE_NAMES));
  byId("title").textContent = titleText();
  byId("figure").replaceChildren(...drawFigure(map, table, byId("figure").clientWidth));
  drawHeads(byId("heads"));
  drawTruths(byId("truths"));
  drawChanges(byId("changes"));
  const [heading, hint] = saysText(sentence);
  byId("says").querySelector("h2").textContent = heading;
  byId("says").querySelector(".hint").textContent = hint;
  byId("says").classList.toggle("changed", view.change !== "none");
  drawOutput(byId("output"), sentence, map);
  drawSteps(byId("steps"));
  const again = focused();
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
  look("");
}

// Shows the word that is pointed at, or else the pinned one.
function look(word, cell = null) {
  const map = mapShown(), table = tableOf(map, view), shown = word || view.pin;
  highlight(document.getElementById("figure"), map, table, shown);
  drawReadout(document.getElementById("readout"), map, table, shown, cell);
}

function listen() {
  const figure = document.getElementById("figure");
  const pointed = (event) => {
    const node = event.target.closest("[data-r][data-c]");
    look(wordAt(event.target), node ? [Number(node.dataset.r), Number(node.dataset.c)] : null);
  };
  figure.addEventListener("pointerover", pointed);
  figure.addEventListener("focusin", pointed);
  figure.addEventListener("pointerleave", () => look(""));
  figure.addEventListener("focusout", () => look(""));
  figure.addEventListener("click", (event) => {
    const word = wordAt(event.target);
    if (String(getSelection())) return;  // text is being selected
    set({ pin: word === view.pin ? "" : word });
  });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", readFragment);
  prefersDark.addEventListener("change", () => set({}));
  addEventListener("resize", () => set({}));
}

build();
listeners.push(draw);
listen();
readFragment();
