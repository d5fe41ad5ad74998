// What is shown as one SVG file: title, heat map and lines side by side.
function exported() {
  const colours = palette(), pictures = [...document.querySelectorAll("#figure svg")], gap = 24;
  const sizes = pictures.map((picture) => [Number(picture.getAttribute("width")), Number(picture.getAttribute("height"))]);
  const width = Math.max(420, sizes.reduce((sum, [wide]) => sum + wide + gap, gap));
  const height = Math.max(...sizes.map(([, high]) => high)) + 64;
  const whole = drawing(width, height, titleText());
  whole.append(svg("title", {}, titleText()), svg("rect", { width, height, fill: colours.paper }),
    svg("text", { x: gap, y: 26, "font-size": 14, "font-weight": 600, fill: colours.ink }, titleText()),
    svg("text", { x: gap, y: 44, "font-size": 12, fill: colours.muted }, PAGE.sentences[view.sentence].text));
  let x = gap;
  pictures.forEach((picture, i) => {
    const copy = picture.cloneNode(true);
    copy.setAttribute("x", x);
    copy.setAttribute("y", 60);
    copy.querySelectorAll("[tabindex]").forEach((node) => node.removeAttribute("tabindex"));
    whole.append(copy);
    x += sizes[i][0] + gap;
  });
  return new XMLSerializer().serializeToString(whole);
}

function saveSvg() {
  const address = URL.createObjectURL(new Blob([exported()], { type: "image/svg+xml" }));
  html("a", { href: address, download: "attention.svg" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
