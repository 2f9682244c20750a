"use strict";

// The heat map. Data and traces come with the page; what depends on the screen is set here.

const NARROW = 640;
const SMALLEST_CELL = 12;

// Plotly's texts without their escapes. A textarea holds text alone: entities are resolved, tags are not made.
function plain(text) {
  const area = document.createElement("textarea");
  area.innerHTML = text;
  return area.value;
}

function textWidth(labels, font) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font;
  return Math.max(...labels.map((label) => context.measureText(plain(label)).width));
}

function fit(meta, available) {
  const count = meta.labels.length;
  const labels = available < NARROW ? meta.narrow_labels : meta.labels;
  const family = getComputedStyle(document.body).fontFamily;
  const widest = (size) => textWidth(labels, `${size}px ${family}`);
  const largest = Math.min(110, Math.max(48, 720 / count));
  const room = available - widest(13) - 24;
  const cell = Math.floor(Math.max(SMALLEST_CELL, Math.min(largest, room / count)));
  const font = Math.min(13, cell - 2);
  const label = Math.ceil(widest(font));
  const slanted = cell >= 22;
  const bottom = slanted ? Math.ceil(label * 0.71) + 24 : label + 16;
  const left = Math.max(label + 14, slanted ? Math.ceil(label * 0.71) - cell / 2 + 8 : 0);
  return { cell, count, font, labels, family, left, bottom, angle: slanted ? -45 : -90, tree: count > 1 ? Math.min(90, 30 + 3 * count) : 0 };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function drawHeatMap() {
  const place = document.getElementById("heat-map");
  const figure = JSON.parse(document.getElementById("heat-map-figure").textContent);
  const { cell, count, font, labels, family, left, bottom, angle, tree } = fit(figure.layout.meta, place.parentElement.clientWidth);
  const [cells, diagonal, empty, branches] = figure.data;
  const side = cell * count;
  for (const trace of [cells, diagonal]) {
    if (cell >= 36) {
      trace.texttemplate = "%{text}";
      trace.textfont = { size: Math.min(13, cell / 3), family };
    }
    trace.xgap = trace.ygap = cell > 20 ? 2 : 1;
  }
  diagonal.textfont = { ...diagonal.textfont, color: "#16191d" };
  empty.marker.size = Math.min(9, cell / 2);
  empty.marker.line = { width: 1, color: colour("--quiet") };
  branches.line = { width: 1, color: colour("--quiet") };
  // A label beside the pointer is wider than a phone; there, a box below the map tells the same.
  const narrow = place.parentElement.clientWidth < NARROW;
  for (const trace of [cells, diagonal, empty]) trace.hoverinfo = narrow ? "none" : "text";
  document.getElementById("readout").hidden = true;
  const right = 12;
  const height = side + tree + bottom;
  const axis = { ticktext: labels, tickfont: { size: font, family, color: colour("--ink") } };
  const layout = {
    ...figure.layout,
    width: left + side + right,
    height,
    margin: { l: left, r: right, t: 0, b: bottom, pad: 4 },
    font: { family, color: colour("--ink") },
    hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--quiet"), align: "left", font: { family, size: 13, color: colour("--ink") } },
    xaxis: { ...figure.layout.xaxis, ...axis, tickangle: angle },
    yaxis: { ...figure.layout.yaxis, ...axis, domain: [0, side / (side + tree)] },
    yaxis2: { ...figure.layout.yaxis2, domain: [(side + Math.min(6, tree)) / (side + tree), 1] },
  };
  return Plotly.react(place, figure.data, layout, { displayModeBar: false, doubleClick: false, scrollZoom: false })
    .then(() => {
      place.removeAllListeners("plotly_hover");
      place.on("plotly_hover", ({ points: [point] }) => { if (narrow) tell(figure.data[point.curveNumber].hovertext, point.pointNumber); });
      document.documentElement.dataset.heatMap = "drawn";
    });
}

function tell(texts, where) {
  const lines = [where].flat().reduce((inner, place) => inner[place], texts).split("<br>");
  const readout = document.getElementById("readout");
  readout.hidden = false;
  readout.replaceChildren(...lines.map((line) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = plain(line.replace(/^<b>|<\/b>$/g, ""));
    return paragraph;
  }));
}

drawHeatMap();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawHeatMap);
let width = window.innerWidth;
addEventListener("resize", () => {
  if (window.innerWidth === width) return; // a phone's address bar comes and goes
  width = window.innerWidth;
  drawHeatMap();
});
