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
  const curve = place.querySelector(".curve");
  curve.replaceChildren();
  curve.append(errorCurve(curve.clientWidth));
}

// The thumb's middle moves from INSET to the width without it.
const INSET = 8, CURVE_HEIGHT = 78;

function errorCurve(width) {
  const colours = palette(), count = PAGE.steps.length, floor = CURVE_HEIGHT - 22;
  const x = (i) => INSET + (width - 2 * INSET) * i / (count - 1), y = (rate) => 16 + (floor - 16) * (1 - rate);
  const marks = PAGE.steps.map((step, i) => svg("text", { x: x(i), y: CURVE_HEIGHT - 3, "font-size": 11,
    fill: i === view.checkpoint ? colours.ink : colours.muted,
    "text-anchor": i === 0 ? "start" : i === count - 1 ? "end" : "middle" }, step.toLocaleString("en")));
  marks.push(svg("line", { x1: x(0), x2: x(count - 1), y1: floor, y2: floor, stroke: colours.line }));
  const rates = view.truth === "none" ? [null]
    : PAGE.steps.map((_, i) => errorRate({ ...view, change: "none" }, PAGE.sentences, view.truth, i));
  if (rates[0] !== null) {
    marks.push(svg("polyline", { fill: "none", stroke: colours.truth, "stroke-width": 1.5,
      points: rates.map((rate, i) => `${x(i)},${y(rate)}`).join(" ") }));
    rates.forEach((rate, i) => {
      const here = i === view.checkpoint;
      marks.push(svg("circle", { cx: x(i), cy: y(rate), r: here ? 5 : 3, fill: here ? colours.truth : colours.paper,
        stroke: colours.truth, "stroke-width": 1.5 }, svg("title", {}, `step ${PAGE.steps[i]}: ${short(rate)}`)));
      if (here) {
        marks.push(svg("text", { x: x(i), y: y(rate) - 9, "font-size": 11, fill: colours.truth,
          "text-anchor": i === 0 ? "start" : i === count - 1 ? "end" : "middle" }, `${short(rate)} wrong`));
      }
    });
  }
  return drawing(width, CURVE_HEIGHT, "error rate at each checkpoint", ...marks);
}

function play() {
  if (playing) return pause();
  const last = PAGE.steps.length - 1;
  const show = (checkpoint) => {
    set({ checkpoint });
    if (checkpoint === last) pause();
  };
  document.querySelector(".play").textContent = "❚❚";
  playing = setInterval(() => show(Math.min(view.checkpoint + 1, last)), 700);
  show(view.checkpoint === last ? 0 : view.checkpoint + 1);
  return undefined;
}

function pause() {
  clearInterval(playing);
  playing = 0;
  document.querySelector(".play").textContent = "▶";
}
