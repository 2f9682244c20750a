"use strict";

// The map: classifiers as points, coloured by cluster or component. Points choose, and follow what is chosen elsewhere.

const map = { box: document.getElementById("map"), focus: 0 };

function mapColour() {
  return state.colour || Object.keys(study.groups)[0] || "";
}

function drawMap(width = Math.max(280, Math.min(1000, map.box.clientWidth))) {
  const data = map.data;
  const [xs, ys] = [data.x, data.y];
  const height = Math.round(Math.min(640, Math.max(300, width * 0.62)));
  const by = mapColour();
  const values = by ? study.groups[by] : study.names.map(() => "");
  const styles = chooseStyles(values);
  const picture = openSvg(width, height, data.title);
  const [rangeX, rangeY] = [findRange(xs, false, 0), findRange(ys, false, 0)];
  const unit = Math.min((width - 140) / (rangeX[1] - rangeX[0]), (height - 60) / (rangeY[1] - rangeY[0])); // the same both ways
  const place = (number) => [
    width / 2 + (xs[number] - (rangeX[0] + rangeX[1]) / 2) * unit,
    height / 2 - (ys[number] - (rangeY[0] + rangeY[1]) / 2) * unit,
  ];
  const group = svg("g", { role: "listbox", "aria-multiselectable": "true", "aria-label": "Classifiers on the map; Space chooses" });
  const taken = [];
  const isDimmed = (number) => !isShown(number) || (state.chosen.length > 0 && !state.chosen.includes(number));
  study.names.forEach((_, number) => {
    const [x, y] = place(number);
    const isChosen = state.chosen.includes(number);
    const { colour, marker } = styles.get(values[number]);
    const point = svg("g", { role: "option", "aria-selected": String(isChosen), tabindex: number === map.focus ? 0 : -1, "data-number": number, opacity: isDimmed(number) ? 0.2 : 1,
      "aria-label": `${nameOf(number)}${by ? `, ${by} ${values[number] || "not known"}` : ""}`, class: "point" }, drawMarker(marker, x, y, size > 300 ? 3 : 5.5, colour));
    if (isChosen) point.append(svg("circle", { cx: x, cy: y, r: 10, fill: "none", stroke: theme("--mark"), "stroke-width": 2 }));
    point.append(svg("circle", { cx: x, cy: y, r: 11, fill: "transparent" }), svg("title", {}, nameOf(number)));
    group.append(point);
    taken.push([x - 6, y - 6, x + 6, y + 6]);
  });
  picture.append(group, ...nameOnMap(place, isDimmed, taken, width, height));
  const known = [...styles].filter(([value]) => values.includes(value));
  return by ? addLegend(picture, known.map(([value, { colour, marker }]) => [value || "not known", colour, marker]), 8, height) : picture;
}

// Names where there is room: chosen and highlighted ones first.
function nameOnMap(place, isDimmed, taken, width, height) {
  const names = study.names.map((_, number) => number).filter((number) => !isDimmed(number));
  const weight = (number) => 2 * state.chosen.includes(number) + isMarked(number);
  names.sort((a, b) => weight(b) - weight(a));
  const drawn = [];
  for (const number of names.slice(0, 150)) {
    const [x, y] = place(number);
    const label = cutMiddle(nameOf(number), 26);
    const room = 6 * label.length;
    const spots = [[x + 9, y + 4], [x - 9 - room, y + 4], [x - room / 2, y - 10], [x - room / 2, y + 19]];
    const fits = ([left, base]) => {
      const box = [left - 2, base - 10, left + room, base + 3];
      return box[0] > 0 && box[2] < width && box[1] > 0 && box[3] < height && !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    };
    const spot = spots.find(fits);
    if (!spot) continue;
    taken.push([spot[0] - 2, spot[1] - 10, spot[0] + room, spot[1] + 3]);
    drawn.push(text(spot[0], spot[1], label, { "font-size": 11, "pointer-events": "none", fill: theme(isMarked(number) ? "--mark" : "--ink"), "font-weight": isMarked(number) || state.chosen.includes(number) ? 700 : 400 }));
  }
  return drawn;
}

function moveOnMap(event) {
  const points = [...map.box.querySelectorAll(".point")];
  const at = points.indexOf(document.activeElement);
  if (at < 0) return;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === " " || event.key === "Enter") toggle([Number(points[at].dataset.number)]);
  else if (step) map.focus = Number(points[(at + step + points.length) % points.length].dataset.number);
  else return;
  event.preventDefault();
  for (const point of map.box.querySelectorAll(".point")) point.setAttribute("tabindex", Number(point.dataset.number) === map.focus ? 0 : -1);
  map.box.querySelector(`.point[data-number="${map.focus}"]`).focus();
}

function startMap() {
  if (!map.box) return;
  map.data = JSON.parse(document.getElementById("map-data").textContent);
  const select = document.getElementById("colour");
  const groups = Object.keys(study.groups);
  select.closest("label").hidden = !groups.length;
  select.addEventListener("change", () => change({ colour: select.value }));
  map.box.addEventListener("click", (event) => {
    const point = event.target.closest(".point");
    if (!point) return;
    map.focus = Number(point.dataset.number);
    toggle([map.focus]);
  });
  map.box.addEventListener("keydown", moveOnMap);
  let isSeen = false;
  const show = () => {
    isSeen = true;
    map.box.replaceChildren(drawMap());
  };
  whenSeen(map.box, show);
  follow(() => {
    fillSelect(select, groups.map((name) => [name, name]), mapColour());
    if (isSeen) show();
  });
  offerPicture(document.getElementById("map-tools"), () => drawMap(), "map");
}

starters.push(startMap);
