// Numbers of a page: two letters each, 0 to 4095, as view/encoding.py writes them.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PARTS = LETTERS.length ** 2 - 1;
const VALUES = new Uint8Array(128);
[...LETTERS].forEach((letter, value) => { VALUES[letter.charCodeAt(0)] = value; });

function wholeNumbers(text) {
  const numbers = new Uint16Array(text.length / 2);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = 64 * VALUES[text.charCodeAt(2 * i)] + VALUES[text.charCodeAt(2 * i + 1)];
  }
  return numbers;
}

function shares(text) {
  return Float64Array.from(wholeNumbers(text), (n) => n / PARTS);
}

const PAGE = JSON.parse(document.getElementById("data").textContent);
const DECODED = new Map();  // what was decoded once stays

function once(owner, key, make) {
  if (!DECODED.has(owner)) DECODED.set(owner, new Map());
  const known = DECODED.get(owner);
  if (!known.has(key)) known.set(key, make());
  return known.get(key);
}

// What a model says, by step: {word, best, written, moved}; moved is 0 where nothing was changed.
function decodeSaid(said, steps) {
  return once(said, "steps", () => {
    const words = wholeNumbers(said.words), best = shares(said.best), written = shares(said.written);
    const moved = said.moved ? shares(said.moved) : null;
    return Array.from(words, (n, i) => (
      { word: PAGE.words[n], best: best[i], written: written[i], moved: moved ? moved[i] : 0 }));
  });
}
