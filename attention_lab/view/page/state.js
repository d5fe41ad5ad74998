// What is shown, as an object; the address fragment is its permalink.
const KINDS = Object.keys(PAGE.sentences[0].maps);
const KIND_NAMES = { cross: "cross-attention", encoder: "encoder", decoder: "decoder", pool: "pooling" };
const CHANGE_NAMES = { none: "as it does", uniform: "uniformly", permuted: "with permuted weights",
  zero_max: "without the largest weight" };

function start() {
  const map = PAGE.sentences[0].maps[KINDS[0]];
  return { sentence: 0, kind: KINDS[0], layer: map.layers - 1, head: "mean", checkpoint: PAGE.selected,
    by: "weight", scale: "fixed", truth: truthsOf(KINDS[0])[0] || "none", change: "none", pin: "",
    theme: "auto" };
}

const view = start();
const listeners = [];

function mapShown() {
  return PAGE.sentences[view.sentence].maps[view.kind];
}

// Values that a field may have; anything else in a permalink is left out.
function choices(field) {
  if (field === "sentence") return [...PAGE.sentences.keys()];
  if (field === "kind") return KINDS;
  const map = mapShown();
  switch (field) {
    case "layer": return [...Array(map.layers).keys(), ...(map.layers > 1 ? ["all"] : [])];
    case "head": return map.heads > 1 ? [...Array(map.heads).keys(), "mean"] : ["mean"];
    case "checkpoint": return [...PAGE.steps.keys()];
    case "by": return map.norms ? ["weight", "norm"] : ["weight"];
    case "scale": return ["fixed", "row"];
    case "truth": return [...truthsOf(view.kind), "none"];
    case "change": return map.elsewhere ? Object.keys(CHANGE_NAMES) : ["none"];
    case "theme": return ["auto", "light", "dark"];
    case "pin": return ["", ...map.rows.map((_, t) => `r${t}`), ...map.columns.map((_, s) => `c${s}`)];
    default: return [];
  }
}

// Puts fields in, makes the others fit, and draws.
function set(changes) {
  if ("sentence" in changes || "kind" in changes) view.pin = "";
  Object.assign(view, changes);
  if ("change" in changes && view.change !== "none") view.checkpoint = PAGE.selected;
  if ("checkpoint" in changes && view.checkpoint !== PAGE.selected) view.change = "none";
  if (view.layer === "all") view.head = "mean";
  const fallback = start();
  for (const field of Object.keys(view)) {
    if (!choices(field).includes(view[field])) {
      view[field] = choices(field).includes(fallback[field]) ? fallback[field] : choices(field)[0];
    }
  }
  writeFragment();
  listeners.forEach((draw) => draw());
}

function fragment() {
  const first = start();
  const differing = Object.keys(view).filter((field) => view[field] !== first[field]);
  return differing.map((field) => `${field}=${encodeURIComponent(
    field === "checkpoint" ? PAGE.steps[view.checkpoint] : view[field])}`).join("&");
}

function writeFragment() {
  const text = fragment();
  if (location.hash.slice(1) !== text) history.replaceState(null, "", `#${text}`);
}

function readFragment() {
  const given = {};
  for (const [field, text] of new URLSearchParams(location.hash.slice(1))) {
    if (!(field in view)) continue;
    const number = /^\d+$/.test(text) ? Number(text) : text;
    given[field] = field === "checkpoint" ? PAGE.steps.indexOf(number) : number;
  }
  // The sentence and the kind come first: on them depends what the others may be.
  for (const field of ["sentence", "kind"]) {
    if (field in given && choices(field).includes(given[field])) view[field] = given[field];
  }
  const pin = given.pin;
  set({ ...start(), ...given });
  if (pin && choices("pin").includes(pin)) set({ pin });
}

// The next value of a field, or the one before it.
function turn(field, by = 1) {
  const all = choices(field);
  set({ [field]: all[(all.indexOf(view[field]) + by + all.length) % all.length] });
}
