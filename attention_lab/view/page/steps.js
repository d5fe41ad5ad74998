// The slider of checkpoints, with the error rate of what is shown at each.
let playing = 0;

function drawSteps(place) {
  const count = PAGE.steps.length;
  place.hidden = count < 2;
  if (count < 2) return;
  const slider = place.querySelector("input");
  slider.max = count - 1;
  slider.value = view.checkpoint;
  slider.setAttribute("aria-valuetext", `step ${PAGE.steps[view.checkpoint]}`);
  place.querySelector(".step-name").textContent = `step ${PAGE.steps[view.checkpoint].toLocaleString("en")}`
    + (view.checkpoint === PAGE.selected ? ", the checkpoint selected on dev" : "");
  place.querySelector(".curve").replaceChildren(errorCurve());
}

function errorCurve() {
  const colours = palette(), count = PAGE.steps.length, width = 600, height = 64;
  const x = (i) => 8 + (width - 16) * i / (count - 1), y = (rate) => 8 + (height - 30) * (1 - rate);
  const marks = PAGE.steps.map((step, i) => svg("text", { x: x(i), y: height - 2, "font-size": 11,
    fill: i === view.checkpoint ? colours.ink : colours.muted,
    "text-anchor": i === 0 ? "start" : i === count - 1 ? "end" : "middle" }, step.toLocaleString("en")));
  if (view.truth !== "none") {
    const rates = PAGE.steps.map((_, i) => errorRate({ ...view, change: "none" }, PAGE.sentences, view.truth, i));
    if (rates[0] !== null) {
      marks.push(svg("polyline", { fill: "none", stroke: colours.truth, "stroke-width": 1.5,
        points: rates.map((rate, i) => `${x(i)},${y(rate)}`).join(" ") }));
      rates.forEach((rate, i) => marks.push(svg("circle", { cx: x(i), cy: y(rate), r: i === view.checkpoint ? 5 : 3,
        fill: i === view.checkpoint ? colours.truth : colours.paper, stroke: colours.truth, "stroke-width": 1.5 },
        svg("title", {}, `step ${PAGE.steps[i]}: ${short(rate)}`))));
    }
  }
  const picture = drawing(width, height, "error rate at each checkpoint", ...marks);
  picture.setAttribute("width", "100%");
  return picture;
}

function play() {
  if (playing) return pause();
  let next = view.checkpoint === PAGE.steps.length - 1 ? 0 : view.checkpoint + 1;
  const advance = () => {
    set({ checkpoint: next++ });
    if (next >= PAGE.steps.length) pause();
  };
  playing = setInterval(advance, 700);
  advance();
  document.querySelector(".play").textContent = "❚❚";
  return undefined;
}

function pause() {
  clearInterval(playing);
  playing = 0;
  document.querySelector(".play").textContent = "▶";
}
