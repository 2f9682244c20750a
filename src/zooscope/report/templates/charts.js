"use strict";

// Charts, drawn as SVG when they come into sight. Colours are written into each, so that a saved one looks the same.

const FONT = 12;

function svg(tag, attributes, ...children) {
  return make(`svg:${tag}`, attributes, ...children);
}

function text(x, y, content, attributes = {}) {
  return svg("text", { x, y, "font-size": FONT, fill: theme("--ink"), ...attributes }, content);
}

// A scale from values to places.
function makeAxis([low, high], [from, to], isLogarithmic) {
  const bend = isLogarithmic ? Math.log10 : (value) => value;
  const [start, end] = [bend(low), bend(high)];
  const axis = (value) => from + ((bend(value) - start) / (end - start || 1)) * (to - from);
  axis.ticks = isLogarithmic ? makePowers(low, high) : makeTicks(low, high);
  return axis;
}

function makePowers(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) if (factor * 10 ** power >= low && factor * 10 ** power <= high) ticks.push(factor * 10 ** power);
  }
  return ticks.length > 9 ? ticks.filter((tick) => Number.isInteger(Math.round(1e6 * Math.log10(tick)) / 1e6)) : ticks;
}

function findRange(values, isLogarithmic, extra = 0.05) {
  const known = values.filter((value) => value !== null && Number.isFinite(value) && (!isLogarithmic || value > 0));
  let [low, high] = [Math.min(...known), Math.max(...known)];
  if (!known.length) return [0, 1];
  if (low === high) [low, high] = isLogarithmic ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  if (isLogarithmic) return [low / (high / low) ** extra, high * (high / low) ** extra];
  return [low - extra * (high - low), high + extra * (high - low)];
}

// A classifier's name as the page shows it; any other text as it is.
function showName(name) {
  return numberOf.has(name) ? nameOf(numberOf.get(name)) : name;
}

function openSvg(width, height, title) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "system-ui, sans-serif" }, svg("title", {}, title));
}

// Both axes with their names; gives the picture and its scales.
function frame(data, width, ranges, logarithmic = []) {
  const height = Math.round(Math.min(460, Math.max(280, width * 0.55)));
  const box = { left: 64, right: width - 16, top: 12, bottom: height - 48 };
  const picture = openSvg(width, height, data.title);
  const x = makeAxis(ranges.x, [box.left, box.right], logarithmic.includes("x"));
  const y = makeAxis(ranges.y, [box.bottom, box.top], logarithmic.includes("y"));
  for (const tick of x.ticks) {
    picture.append(svg("line", { x1: x(tick), x2: x(tick), y1: box.top, y2: box.bottom, stroke: theme("--line") }), text(x(tick), box.bottom + 18, formatTick(tick), { "text-anchor": "middle", fill: theme("--quiet") }));
  }
  for (const tick of y.ticks) {
    picture.append(svg("line", { x1: box.left, x2: box.right, y1: y(tick), y2: y(tick), stroke: theme("--line") }), text(box.left - 8, y(tick) + 4, formatTick(tick), { "text-anchor": "end", fill: theme("--quiet") }));
  }
  picture.append(text((box.left + box.right) / 2, height - 8, data.xLabel, { "text-anchor": "middle" }));
  picture.append(text(0, 0, data.yLabel, { "text-anchor": "middle", transform: `translate(14 ${(box.top + box.bottom) / 2}) rotate(-90)` }));
  return { picture, x, y, box, height };
}

function formatTick(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

function drawBand(picture, { x: xs, y: ys, low, high }, x, y, colour, isDashed = false) {
  const known = xs.map((_, place) => place).filter((place) => ys[place] !== null);
  const withEnds = known.filter((place) => low[place] !== null && high[place] !== null);
  const path = (places, values) => places.map((place) => `${x(xs[place]).toFixed(1)} ${y(values[place]).toFixed(1)}`);
  if (withEnds.length > 1) {
    picture.append(svg("path", { d: `M${path(withEnds, low).join("L")}L${path(withEnds, high).reverse().join("L")}Z`, fill: colour, opacity: 0.15 }));
  }
  picture.append(svg("path", { d: `M${path(known, ys).join("L")}`, fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": isDashed ? "6 4" : null }));
}

const CHARTS = {
  points(data, width) {
    const bands = data.trend ? [...data.trend.low, ...data.trend.high] : [];
    const { picture, x, y } = frame(data, width, { x: findRange(data.x), y: findRange([...data.y, ...bands]) });
    if (data.trend) drawBand(picture, data.trend, x, y, theme("--second"));
    const opacity = data.x.length > 500 ? 0.35 : 0.75;
    data.x.forEach((value, place) => {
      if (value === null || data.y[place] === null) return;
      picture.append(svg("circle", { cx: x(value).toFixed(1), cy: y(data.y[place]).toFixed(1), r: data.x.length > 500 ? 2.5 : 4, fill: theme("--accent"), opacity },
        svg("title", {}, `${data.names[place]}: ${formatTick(value)}, ${formatTick(data.y[place])}`)));
    });
    return picture;
  },

  curves(data, width) {
    const isLog = Object.fromEntries(["x", "y"].map((axis) => [axis, data.logarithmic.includes(axis)]));
    const all = (keys) => data.curves.flatMap((curve) => keys.flatMap((key) => curve[key]));
    const { picture, x, y, box, height } = frame(data, width, { x: findRange(all(["x"]), isLog.x), y: findRange(all(["y", "low", "high"]), isLog.y) }, data.logarithmic);
    data.curves.forEach((curve, place) => {
      const colour = groupColour(place);
      drawBand(picture, curve, x, y, colour, place % 2 === 1);
      curve.x.forEach((value, step) => {
        if (curve.y[step] !== null) picture.append(drawMarker(MARKERS[place % MARKERS.length], x(value), y(curve.y[step]), 4, colour, `${curve.name}: ${formatTick(value)}, ${formatTick(curve.y[step])}`));
      });
    });
    return addLegend(picture, data.curves.map(({ name }, place) => [name, groupColour(place), MARKERS[place % MARKERS.length]]), box.left, height);
  },

  bars(data, width) {
    const room = Math.min(width * 0.45, 8 + Math.max(...data.labels.map((label) => 6.6 * cutMiddle(label, 36).length)));
    const rows = data.labels.length;
    const thick = Math.max(8, Math.min(18, 26 / data.series.length));
    const step = data.series.length * thick + 10;
    const bottom = 8 + rows * step;
    const height = bottom + 44;
    const picture = openSvg(width, height, data.title);
    const values = data.series.flatMap((one) => [...one.lengths, ...(one.low ?? []), ...(one.high ?? [])]);
    const x = makeAxis(findRange([0, ...values], false, 0.02), [room, width - 12], false);
    for (const tick of x.ticks) {
      picture.append(svg("line", { x1: x(tick), x2: x(tick), y1: 4, y2: bottom, stroke: theme("--line") }), text(x(tick), bottom + 16, formatTick(tick), { "text-anchor": "middle", fill: theme("--quiet") }));
    }
    data.labels.forEach((label, row) => {
      const top = 8 + row * step;
      picture.append(text(room - 8, top + (step - 10) / 2 + 4, cutMiddle(label, Math.max(12, Math.floor(room / 6.6))), { "text-anchor": "end" }));
      data.series.forEach((one, place) => {
        const length = one.lengths[row];
        if (length === null) return;
        const y = top + place * thick;
        const told = `${label}${data.series.length > 1 ? `, ${one.name}` : ""}: ${formatTick(length)}`;
        picture.append(svg("rect", { x: Math.min(x(0), x(length)), y, width: Math.max(1, Math.abs(x(length) - x(0))), height: thick - 2, rx: 2, fill: groupColour(place) }, svg("title", {}, told)));
        const [low, high] = [one.low?.[row] ?? null, one.high?.[row] ?? null];
        if (low !== null && high !== null) picture.append(svg("path", { d: `M${x(low)} ${y + thick / 2 - 1}H${x(high)}M${x(low)} ${y + 2}v${thick - 6}M${x(high)} ${y + 2}v${thick - 6}`, stroke: theme("--ink"), fill: "none" }));
      });
    });
    picture.append(text((room + width) / 2, height - 8, data.xLabel, { "text-anchor": "middle" }));
    return data.series.length > 1 ? addLegend(picture, data.series.map(({ name }, place) => [name, groupColour(place), "square"]), 8, height) : picture;
  },

  heatmap(data, width) {
    const labels = data.rows.map((name) => cutMiddle(showName(name), 28));
    const guess = Math.floor((width - 160) / data.columns.length);
    const room = guess >= 7 ? Math.min(180, 8 + Math.max(...labels.map((label) => 6.2 * label.length))) : 4;
    const cell = Math.max(1, Math.min(26, (width - room - 8) / data.columns.length));
    const picture = openSvg(width, Math.ceil(data.rows.length * cell + 30), data.title);
    const [low, high] = data.limits ?? findRange(data.values.flat(), false, 0);
    data.values.forEach((row, at) => row.forEach((value, column) => {
      const place = value === null ? 0 : Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
      const shade = SHADES[Math.round(255 * (data.isReversed ? 1 - place : place))];
      picture.append(svg("rect", { x: (room + column * cell).toFixed(2), y: (at * cell).toFixed(2), width: cell.toFixed(2), height: cell.toFixed(2), fill: value === null ? theme("--shade") : `rgb(${shade})` },
        svg("title", {}, `${showName(data.rows[at])} and ${showName(data.columns[column])}: ${value === null ? "–" : formatTick(value)}`)));
    }));
    const side = cell * data.columns.length;
    for (const place of data.breaks) picture.append(svg("path", { d: `M${room + place * cell} 0V${data.rows.length * cell}M${room} ${place * cell}h${side}`, stroke: theme("--page"), "stroke-width": 3 }));
    if (room > 4) labels.forEach((label, at) => picture.append(text(room - 6, (at + 0.5) * cell + 4, label, { "text-anchor": "end", "font-size": Math.min(FONT, cell) })));
    picture.append(text(room, data.rows.length * cell + 22, `${data.unit}: ${formatTick(low)} to ${formatTick(high)}`, { fill: theme("--quiet") }));
    return picture;
  },

  forks(data, width) {
    const room = Math.min(width * 0.4, 200);
    const step = 26;
    const bottom = 8 + data.names.length * step;
    const picture = openSvg(width, bottom + 44, data.title);
    const x = makeAxis(findRange(data.branches.flat().map(([, value]) => value)), [16, width - room - 12], false);
    for (const tick of x.ticks) picture.append(svg("line", { x1: x(tick), x2: x(tick), y1: 4, y2: bottom, stroke: theme("--line") }), text(x(tick), bottom + 16, formatTick(tick), { "text-anchor": "middle", fill: theme("--quiet") }));
    const end = width - room - 6;
    for (const branch of data.branches) {
      const points = branch.map(([place, value]) => `${Number.isFinite(value) ? Math.min(end, x(value)) : end} ${8 + (place + 0.5) * step}`);
      picture.append(svg("path", { d: `M${points.join("L")}`, fill: "none", stroke: theme("--quiet"), "stroke-width": 1.5 }));
    }
    data.names.forEach((name, place) => picture.append(text(end + 8, 8 + (place + 0.5) * step + 4, cutMiddle(showName(name), 28))));
    picture.append(text(width / 2, bottom + 36, data.xLabel, { "text-anchor": "middle" }));
    return picture;
  },
};

function drawMarker(marker, x, y, radius, colour, title = "") {
  const shapes = {
    circle: () => svg("circle", { cx: x, cy: y, r: radius, fill: colour }),
    square: () => svg("rect", { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, fill: colour }),
    diamond: () => svg("path", { d: `M${x} ${y - 1.3 * radius}l${1.3 * radius} ${1.3 * radius}l${-1.3 * radius} ${1.3 * radius}l${-1.3 * radius} ${-1.3 * radius}z`, fill: colour }),
    triangle: () => svg("path", { d: `M${x} ${y - 1.2 * radius}l${1.2 * radius} ${2.2 * radius}h${-2.4 * radius}z`, fill: colour }),
    cross: () => svg("path", { d: `M${x - radius} ${y - radius}l${2 * radius} ${2 * radius}m0 ${-2 * radius}l${-2 * radius} ${2 * radius}`, stroke: colour, "stroke-width": 2.2, fill: "none" }),
  };
  const shape = shapes[marker]();
  if (title) shape.append(svg("title", {}, title));
  return shape;
}

// Below the picture, in as many lines as it takes.
function addLegend(picture, entries, left, height) {
  const width = Number(picture.getAttribute("width"));
  let [x, y] = [left, height + 14];
  for (const [name, colour, marker] of entries) {
    const shown = cutMiddle(name, 60);
    const room = 28 + 6.6 * shown.length;
    if (x > left && x + room > width) [x, y] = [left, y + 20];
    picture.append(drawMarker(marker, x + 6, y - 4, 4.5, colour), text(x + 16, y, shown));
    x += room;
  }
  picture.setAttribute("height", y + 12);
  picture.setAttribute("viewBox", `0 0 ${width} ${y + 12}`);
  return picture;
}

function startCharts() {
  for (const figure of document.querySelectorAll("figure.chart")) {
    const box = figure.querySelector(".chart-box");
    const read = () => JSON.parse(figure.querySelector("script").textContent);
    const draw = () => {
      const data = read();
      return CHARTS[data.kind](data, Math.max(280, Math.min(860, box.clientWidth)));
    };
    const show = () => box.replaceChildren(draw());
    whenSeen(box, show);
    offerPicture(figure.querySelector(".tools"), draw, figure.dataset.name);
  }
}

// Draws now and after each change of theme or width, but only what was in sight once.
function whenSeen(box, draw) {
  box.style.minHeight = "16rem";
  let width = 0;
  const show = () => {
    box.style.minHeight = "";
    width = box.clientWidth;
    draw();
  };
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    show();
    darkness.addEventListener("change", show);
    new ResizeObserver(() => { if (box.clientWidth !== width) show(); }).observe(box);
  }, { rootMargin: "200px" }).observe(box);
  addEventListener("beforeprint", () => { if (!width) show(); });
}

starters.push(startCharts);
