// Elements from names, attributes and children; text becomes text nodes, never markup.
function make(namespace, tag, attributes, children) {
  const node = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-")) node.setAttribute(name, String(value));
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes = {}, ...children) => make(SVG, tag, attributes, children);
const html = (tag, attributes = {}, ...children) => make("", tag, attributes, children);

const FONT = 13;  // pixels
const FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const ruler = document.createElement("canvas").getContext("2d");

function widthOf(text, size = FONT) {
  ruler.font = `${size}px ${FAMILY}`;
  return ruler.measureText(text).width;
}

function drawing(width, height, label, ...children) {
  return svg("svg", { xmlns: SVG, width: Math.ceil(width), height: Math.ceil(height), role: "img",
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, "font-family": FAMILY, "font-size": FONT,
    "aria-label": label }, ...children);
}

// A number as a label: two digits, no more than it has.
function short(number) {
  if (number === 0) return "0";
  if (number < 0.005) return "<0.01";
  return number < 10 ? number.toFixed(2) : number.toPrecision(3);
}

// A word as a label.
function label(word, most = 24) {
  return word.length > most ? `${word.slice(0, most - 1)}…` : word;
}
