// Every choice by a key; a capital goes the other way.
const KEYS = [
  ["↓ ↑", "sentence"], ["→ ←", "checkpoint"], ["k", "kind of attention"], ["l", "layer"], ["h", "head"],
  ["w", "weight, or times norm"], ["c", "colour scale"], ["t", "truth"], ["e", "look elsewhere"],
  ["p", "play"], ["d", "dark or light"], ["s", "save as SVG"], ["Esc", "let go of a word"], ["?", "these keys"],
];
const TURNED = { k: "kind", l: "layer", h: "head", w: "by", c: "scale", t: "truth", e: "change" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key, field = TURNED[key.toLowerCase()];
  const onWord = event.target.closest && event.target.closest(".word");
  if (key === "Enter" && onWord) {
    set({ pin: wordAt(onWord) });
  } else if (key === "ArrowDown" || key === "ArrowUp") {
    turn("sentence", key === "ArrowDown" ? 1 : -1);
  } else if (key === "ArrowRight" || key === "ArrowLeft") {
    const next = view.checkpoint + (key === "ArrowRight" ? 1 : -1);
    if (next >= 0 && next < PAGE.steps.length) set({ checkpoint: next });
  } else if (field) {
    if (field === "head" && view.layer === "all") set({ layer: 0 });
    turn(field, key === key.toLowerCase() ? 1 : -1);
  } else if (key === "p") {
    play();
  } else if (key === "d") {
    set({ theme: themeShown() === "dark" ? "light" : "dark" });
  } else if (key === "s") {
    saveSvg();
  } else if (key === "?") {
    toggleHelp();
  } else if (key === "Escape") {
    document.getElementById("help").hidden = true;
    set({ pin: "" });
  } else {
    return;
  }
  event.preventDefault();
}

function toggleHelp() {
  const help = document.getElementById("help");
  help.hidden = !help.hidden;
}
