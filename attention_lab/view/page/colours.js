// One hue from the paper to ink, lightness falling evenly, which eyes of any kind and print in grey tell apart;
// orange and pink of Okabe & Ito (2008) for truth and change.
const PALETTES = {
  light: { paper: "#ffffff", ink: "#1d2330", muted: "#667085", line: "#e4e7ec", truth: "#d55e00", change: "#a8307c",
    scale: ["#f4f7fb", "#c9dff0", "#7fb5da", "#3a83be", "#0b4f8f"] },
  dark: { paper: "#12151b", ink: "#e8ebf1", muted: "#9aa4b5", line: "#2b323d", truth: "#f0a030", change: "#ee8fcb",
    scale: ["#1b212b", "#1f4468", "#2f74ae", "#62aee6", "#d3ecff"] },
};
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function themeShown() {
  return view.theme === "auto" ? (prefersDark.matches ? "dark" : "light") : view.theme;
}

function palette() {
  return PALETTES[themeShown()];
}

function channels(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

// The colour of a share from 0 to 1, as [red, green, blue].
function mixed(share, stops) {
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(place));
  const from = channels(stops[low]), to = channels(stops[low + 1]);
  return from.map((value, i) => Math.round(value + (to[i] - value) * (place - low)));
}

function colour(share) {
  return `rgb(${mixed(share, palette().scale).join(",")})`;
}

// What counts as 1 in each row: the same for all, or the row's largest.
function tops(map, table, scale) {
  const largestOf = (values) => values.reduce((most, value) => Math.max(most, value), 0) || 1;
  if (scale === "row") return map.rows.map((_, t) => largestOf(rowOf(map, table, t)));
  const all = view.by === "norm" && map.norms ? largestOf(table) : 1;
  return map.rows.map(() => all);
}
