"use strict";

// The matrix. Its picture is drawn once on the lower canvas and kept; the upper one holds what follows the pointer.

const LARGEST_CELL = 56;
const LABELLED_CELL = 8; // smaller cells have no room for names
const MARKED_CELL = 7;
const WRITTEN_CELL = 36; // holds its value as text
const TREE = 64;
const MOST_DOUBTS = 4;
const matrix = {
  box: document.getElementById("matrix"),
  picture: document.getElementById("matrix-picture"),
  pointer: document.getElementById("matrix-pointer"),
  tip: document.getElementById("tip"),
  shown: [], // numbers of classifiers, in order
  at: null, // the place of the cell that is pointed at or focused
};

// Layout

function layOutMatrix() {
  const room = matrix.box.clientWidth;
  const shown = listShown();
  const count = Math.max(1, shown.length);
  const family = getComputedStyle(document.body).fontFamily;
  const pen = document.createElement("canvas").getContext("2d");
  const longest = room < 640 ? 16 : 30;
  const labels = shown.map((number) => cutMiddle(nameOf(number), longest));
  const measure = (font) => {
    pen.font = `${font}px ${family}`;
    return Math.ceil(Math.max(0, ...labels.map((label) => pen.measureText(label).width)));
  };
  const guess = Math.min(LARGEST_CELL, Math.floor((room - measure(12) - 16) / count));
  const hasLabels = guess >= LABELLED_CELL;
  const font = Math.min(12, Math.max(7, guess - 1));
  const width = hasLabels ? measure(font) : 0;
  const cell = hasLabels ? Math.min(LARGEST_CELL, Math.floor((room - width - 16) / count)) : Math.max(1, Math.min(LARGEST_CELL, Math.floor((room - 4) / count)));
  const slanted = hasLabels && cell >= 22;
  const bottom = hasLabels ? Math.ceil(slanted ? width * 0.72 + 18 : width + 14) : 2;
  const left = hasLabels ? Math.max(width + 10, slanted ? Math.ceil(width * 0.72 - cell / 2) : 0) : 2;
  const isWhole = state.order === "similarity" && shown.length === size;
  const top = isWhole && size > 1 ? TREE : state.order in study.groups ? 22 : 4;
  const side = cell * shown.length;
  Object.assign(matrix, { shown, labels, cell, font, family, left, top, side, bottom, slanted, hasLabels, isWhole });
  matrix.width = left + side + (slanted ? 8 : 2);
  matrix.height = top + side + bottom;
}

function prepare(canvas) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(matrix.width * scale);
  canvas.height = Math.round(matrix.height * scale);
  canvas.style.width = `${matrix.width}px`;
  canvas.style.height = `${matrix.height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return pen;
}

// The picture

function drawMatrix() {
  layOutMatrix();
  drawMatrixOn(prepare(matrix.picture));
  matrix.pointerPen = prepare(matrix.pointer);
  drawPointer();
  describeMatrix();
}

function drawMatrixOn(pen) {
  const { left, top, side, cell, shown } = matrix;
  pen.fillStyle = theme("--page");
  pen.fillRect(0, 0, matrix.width, matrix.height);
  if (!shown.length) return;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(makeBitmap(), left, top, side, side);
  drawGaps(pen);
  drawSigns(pen);
  if (matrix.hasLabels) drawLabels(pen);
  if (matrix.isWhole) drawTree(pen);
}

// A pixel for every cell.
function makeBitmap() {
  const { shown } = matrix;
  const quantity = findQuantity(state.quantity);
  const bitmap = document.createElement("canvas");
  bitmap.width = bitmap.height = shown.length;
  const pen = bitmap.getContext("2d");
  const image = pen.createImageData(shown.length, shown.length);
  const own = parseColour(theme("--diagonal"));
  const weak = parseColour(theme("--weak"));
  const nothing = parseColour(theme("--shade"));
  let place = 0;
  for (const row of shown) {
    for (const column of shown) {
      const value = valueOf(quantity.key, row, column);
      const colour = row === column ? (study.isWeak[row] ? weak : own) : Number.isNaN(value) ? nothing : SHADES[findShade(quantity, value)];
      image.data[place++] = colour[0];
      image.data[place++] = colour[1];
      image.data[place++] = colour[2];
      image.data[place++] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  return bitmap;
}

// The same picture to take away: the cells as a bitmap, names and tree as text and lines.
function drawMatrixSvg() {
  const { left, top, side, cell, shown, labels, slanted, width, height } = matrix;
  const picture = openSvg(Math.ceil(width), Math.ceil(height), findQuantity(state.quantity).title);
  if (!shown.length) return picture;
  picture.append(svg("image", { x: left, y: top, width: side, height: side, href: makeBitmap().toDataURL(), style: "image-rendering: pixelated" }));
  if (matrix.hasLabels) {
    shown.forEach((number, place) => {
      const style = { "font-size": matrix.font, "text-anchor": "end", fill: theme(isMarked(number) ? "--mark" : "--ink") };
      const middle = (place + 0.5) * cell;
      picture.append(text(left - 6, top + middle + matrix.font / 3, labels[place], style));
      picture.append(text(0, matrix.font / 3, labels[place], { ...style, transform: `translate(${left + middle} ${top + side + 6}) rotate(${slanted ? -45 : -90})` }));
    });
  }
  if (matrix.isWhole) picture.append(svg("path", { d: traceTree(), fill: "none", stroke: theme("--quiet") }));
  return picture;
}

function parseColour(text) {
  return [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16));
}

function drawGaps(pen) {
  const { left, top, side, cell, shown } = matrix;
  pen.fillStyle = theme("--page");
  if (cell >= 10) {
    const gap = cell > 20 ? 2 : 1;
    for (let place = 1; place < shown.length; place++) {
      pen.fillRect(left + place * cell - gap / 2, top, gap, side);
      pen.fillRect(left, top + place * cell - gap / 2, side, gap);
    }
  }
  for (const { start, value, count } of listBlocks()) {
    const width = cell < 4 ? 1 : 3;
    pen.fillStyle = theme("--page");
    if (start) {
      pen.fillRect(left + start * cell - width / 2, top, width, side);
      pen.fillRect(left, top + start * cell - width / 2, side, width);
    }
    pen.fillStyle = theme("--quiet");
    pen.font = `11px ${matrix.family}`;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    const title = value || "not known";
    if (pen.measureText(title).width < count * cell) pen.fillText(title, left + (start + count / 2) * cell, top - 8);
  }
}

// Runs of equal values, where the matrix is ordered by a group.
function listBlocks() {
  if (!(state.order in study.groups)) return [];
  const blocks = [];
  matrix.shown.forEach((number, place) => {
    const value = study.groups[state.order][number];
    if (blocks.at(-1)?.value === value) blocks.at(-1).count += 1;
    else blocks.push({ start: place, value, count: 1 });
  });
  return blocks;
}

function drawSigns(pen) {
  const { left, top, cell, shown } = matrix;
  const quantity = findQuantity(state.quantity);
  const place = new Map(shown.map((number, at) => [number, at]));
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (cell >= 10) {
    shown.forEach((a, row) => shown.forEach((b, column) => {
      const value = valueOf(quantity.key, a, b);
      const [x, y] = [left + (column + 0.5) * cell, top + (row + 0.5) * cell];
      const ownValue = a === b ? valueOf(planes.has("transfer") ? "transfer" : quantity.key, a, a) : value;
      if (Number.isNaN(ownValue)) {
        pen.fillStyle = theme("--quiet");
        pen.font = `${Math.min(14, cell - 2)}px ${matrix.family}`;
        pen.fillText("×", x, y);
      } else if (cell >= WRITTEN_CELL) {
        const shade = a === b ? parseColour(theme(study.isWeak[a] ? "--weak" : "--diagonal")) : SHADES[findShade(quantity, value)];
        pen.fillStyle = isBright(shade) ? "#101418" : "#ffffff";
        pen.font = `${Math.min(13, cell / 3)}px ${matrix.family}`;
        const text = a === b ? formatNumber(ownValue, planes.has("transfer") ? 0 : 2) : quantity.isPercent ? formatNumber(value, 0) : formatNumber(value);
        pen.fillText(text, x, y);
      }
    }));
  }
  if (cell < MARKED_CELL) return;
  for (const [row, number] of shown.entries()) {
    const nearest = study.nearest[number];
    if (!nearest || nearest.of < 0) continue;
    const others = nearest.orElse.length <= MOST_DOUBTS ? nearest.orElse : []; // more would hide the picture
    for (const other of [nearest.of, ...others]) {
      if (!place.has(other)) continue;
      const value = valueOf(quantity.key, number, other);
      const shade = Number.isNaN(value) ? [128, 128, 128] : SHADES[findShade(quantity, value)];
      drawMark(pen, left + (place.get(other) + 0.5) * cell, top + (row + 0.5) * cell, isBright(shade) ? "#101418" : "#ffffff", nearest.isSure);
    }
  }
}

// A dot: surely the nearest of the row's classifier; a ring: one of several that may be it.
function drawMark(pen, x, y, colour, isSure) {
  const { cell } = matrix;
  const radius = Math.max(1.5, Math.min(3.5, cell / 6));
  const height = cell >= WRITTEN_CELL ? y + cell / 2 - radius - 4 : y;
  pen.beginPath();
  pen.arc(x, height, radius, 0, 2 * Math.PI);
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.2;
  isSure ? pen.fill() : pen.stroke();
}

function isBright([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140;
}

function drawLabels(pen) {
  const { left, top, side, cell, shown, labels, slanted } = matrix;
  pen.textBaseline = "middle";
  const ink = theme("--ink");
  const accent = theme("--mark");
  shown.forEach((number, place) => {
    const isStrong = isMarked(number) || state.chosen.includes(number);
    pen.font = `${isStrong ? "700 " : ""}${matrix.font}px ${matrix.family}`;
    pen.fillStyle = isMarked(number) ? accent : ink;
    pen.textAlign = "right";
    pen.fillText(labels[place], left - 6, top + (place + 0.5) * cell);
    pen.save();
    pen.translate(left + (place + 0.5) * cell, top + side + 6);
    pen.rotate(slanted ? -Math.PI / 4 : -Math.PI / 2);
    pen.fillText(labels[place], 0, 0);
    pen.restore();
  });
}

function drawTree(pen) {
  pen.strokeStyle = theme("--quiet");
  pen.lineWidth = 1;
  pen.stroke(new Path2D(traceTree()));
}

// The tree as an SVG path.
function traceTree() {
  const { left, cell } = matrix;
  let highest = 1e-9;
  for (const branch of study.branches) for (const [, height] of branch) highest = Math.max(highest, height);
  const point = ([place, height]) => `${left + (place + 0.5) * cell} ${TREE - 4 - (height / highest) * (TREE - 10)}`;
  return study.branches.map((branch) => `M${branch.map(point).join("L")}`).join("");
}

// What follows the pointer

function drawPointer() {
  const { left, top, side, cell, shown, at, pointerPen: pen } = matrix;
  pen.clearRect(0, 0, matrix.width, matrix.height);
  const place = new Map(shown.map((number, where) => [number, where]));
  const chosen = state.chosen.filter((number) => place.has(number));
  if (chosen.length && chosen.length < shown.length) {
    pen.globalAlpha = 0.6;
    pen.fillStyle = theme("--page");
    pen.fillRect(left, top, side, side);
    pen.globalAlpha = 1;
    for (const number of chosen) {
      pen.clearRect(left + place.get(number) * cell, top, cell, side);
      pen.clearRect(left, top + place.get(number) * cell, side, cell);
    }
  }
  if (state.pair && state.pair.every((number) => place.has(number))) {
    const [a, b] = state.pair.map((number) => place.get(number));
    pen.strokeStyle = theme("--mark");
    pen.lineWidth = 2.5;
    for (const [row, column] of [[a, b], [b, a]]) pen.strokeRect(left + column * cell - 1, top + row * cell - 1, cell + 2, cell + 2);
  }
  if (!at) return;
  const [x, y] = [left + at.column * cell, top + at.row * cell];
  pen.fillStyle = theme("--ink");
  pen.globalAlpha = 0.85;
  for (const [from, to] of [[left, x], [x + cell, left + side]]) {
    pen.fillRect(from, y - 0.5, to - from, 1);
    pen.fillRect(from, y + cell - 0.5, to - from, 1);
  }
  for (const [from, to] of [[top, y], [y + cell, top + side]]) {
    pen.fillRect(x - 0.5, from, 1, to - from);
    pen.fillRect(x + cell - 0.5, from, 1, to - from);
  }
  pen.globalAlpha = 1;
}

function pointAt(row, column, { isFocused = false } = {}) {
  const inside = row >= 0 && column >= 0 && row < matrix.shown.length && column < matrix.shown.length;
  matrix.at = inside ? { row, column } : null;
  drawPointer();
  if (!inside) {
    matrix.tip.hidden = true;
    return;
  }
  const [a, b] = [matrix.shown[row], matrix.shown[column]];
  const lines = describeCell(a, b);
  if (isFocused) readOut(row, column, lines);
  matrix.tip.replaceChildren(...lines.map((line) => make("p", {}, line)));
  matrix.tip.hidden = false;
  placeTip(row, column);
}

// Beside the cell, inside the window.
function placeTip(row, column) {
  const box = matrix.pointer.getBoundingClientRect();
  const x = box.left + matrix.left + (column + 1) * matrix.cell + 12;
  const y = box.top + matrix.top + (row + 1) * matrix.cell + 12;
  const { offsetWidth: width, offsetHeight: height } = matrix.tip;
  const left = x + width > innerWidth - 8 ? Math.max(8, x - width - matrix.cell - 24) : x;
  const top = y + height > innerHeight - 8 ? Math.max(8, y - height - matrix.cell - 24) : y;
  matrix.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

// For those who can't see the picture: the grid holds the one cell that has the focus.
function readOut(row, column, lines) {
  const [heading, cell] = ["matrix-row", "matrix-cell"].map((id) => document.getElementById(id));
  heading.textContent = nameOf(matrix.shown[row]);
  cell.textContent = lines.join(". ");
  cell.setAttribute("aria-colindex", column + 2);
  cell.parentElement.setAttribute("aria-rowindex", row + 1);
}

function describeMatrix() {
  fillSelect(document.getElementById("quantity"), study.quantities.map(({ key, title }) => [key, title]), state.quantity);
  const orders = ["similarity", "name", ...Object.keys(study.groups)];
  fillSelect(document.getElementById("order"), orders.map((name) => [name, name]), state.order);
  const quantity = findQuantity(state.quantity);
  matrix.box.setAttribute("aria-rowcount", matrix.shown.length);
  matrix.box.setAttribute("aria-colcount", matrix.shown.length + 1);
  matrix.box.setAttribute("aria-label", `${quantity.title} of ${matrix.shown.length} classifiers; move with the arrow keys, Enter shows a pair`);
  document.getElementById("matrix-reading").textContent = quantity.reading;
  document.getElementById("matrix-count").textContent = matrix.shown.length === size ? "" : `${matrix.shown.length} of ${size} classifiers are shown.`;
  drawScale(quantity);
}

// The scale

const TICK_PERCENTS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100];

function drawScale(quantity) {
  const [low, high] = findLimits(quantity);
  const place = (value) => (quantity.isAlike ? value - low : high - value) / (high - low);
  const ticks = [];
  const values = quantity.key === "sat" ? TICK_PERCENTS.map(Math.log) : makeTicks(low, high);
  for (const value of values) {
    const where = place(value);
    if (where < 0 || where > 1 + 1e-9 || ticks.some((tick) => Math.abs(tick.where - where) < 0.15)) continue;
    ticks.push({ where, text: quantity.isPercent ? formatNumber(value, 0) : formatNumber(value, 1), below: quantity.key === "sat" ? `${+Math.exp(value).toPrecision(2)} %` : quantity.isPercent ? "%" : "" });
  }
  const gradient = document.getElementById("matrix-gradient");
  gradient.style.background = `linear-gradient(to right, ${study.colours.join(", ")})`;
  document.getElementById("matrix-ticks").replaceChildren(...ticks.map(({ where, text, below }) => {
    const tick = make("span", {}, make("b", {}, text), below);
    tick.style.left = `${100 * where}%`;
    return tick;
  }));
}

// Round numbers between two ends.
function makeTicks(low, high, most = 6) {
  const rough = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) ticks.push(Math.abs(value) < step / 1e6 ? 0 : value);
  return ticks;
}

// Pointer and keyboard

function findCell(event) {
  const box = matrix.pointer.getBoundingClientRect();
  return [event.clientY - box.top - matrix.top, event.clientX - box.left - matrix.left].map((offset) => Math.floor(offset / matrix.cell));
}

function openPair(row, column) {
  const [a, b] = [matrix.shown[row], matrix.shown[column]];
  if (a === undefined || b === undefined) return;
  change(a === b ? { chosen: state.chosen.includes(a) ? state.chosen.filter((number) => number !== a) : [...state.chosen, a].sort((x, y) => x - y) } : { pair: [a, b] });
}

function moveByKey(event) {
  const last = matrix.shown.length - 1;
  const { row, column } = matrix.at ?? { row: 0, column: 0 };
  const moves = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    PageUp: [row - 10, column], PageDown: [row + 10, column],
    Home: event.ctrlKey ? [0, 0] : [row, 0], End: event.ctrlKey ? [last, last] : [row, last],
  };
  if (event.key === "Escape") pointAt(-1, -1);
  else if (event.key === "Enter" || event.key === " ") openPair(row, column);
  else if (moves[event.key]) pointAt(...moves[event.key].map((place) => Math.min(last, Math.max(0, place))), { isFocused: true });
  else return;
  event.preventDefault();
}

function startMatrix() {
  for (const key of ["quantity", "order"]) {
    const select = document.getElementById(key);
    select.addEventListener("change", () => change({ [key]: select.value }));
  }
  matrix.pointer.addEventListener("pointermove", (event) => {
    const [row, column] = findCell(event);
    if (row !== matrix.at?.row || column !== matrix.at?.column) pointAt(row, column);
  });
  matrix.pointer.addEventListener("pointerleave", () => pointAt(-1, -1));
  matrix.pointer.addEventListener("click", (event) => openPair(...findCell(event)));
  matrix.box.addEventListener("keydown", moveByKey);
  matrix.box.addEventListener("focus", () => {
    if (matrix.box.matches(":focus-visible") && !matrix.at) pointAt(0, 0, { isFocused: true });
  });
  matrix.box.addEventListener("blur", () => pointAt(-1, -1));
  addEventListener("scroll", () => { if (matrix.at) placeTip(matrix.at.row, matrix.at.column); }, { passive: true });
  let drawn = "";
  follow(() => {
    const now = JSON.stringify([state.quantity, state.order, state.chosen, state.only, state.component, state.value, state.mark, state.rename, state.by]);
    if (now === drawn) return drawPointer();
    drawn = now;
    matrix.at = null;
    matrix.tip.hidden = true;
    drawMatrix();
  });
  offerPicture(document.getElementById("matrix-tools"), drawMatrixSvg, "matrix");
  let room = matrix.box.clientWidth;
  new ResizeObserver(() => {
    if (matrix.box.clientWidth === room) return; // a phone's address bar comes and goes
    room = matrix.box.clientWidth;
    drawMatrix();
  }).observe(matrix.box);
  darkness.addEventListener("change", drawMatrix);
}

starters.push(startMatrix);
