"use strict";

// What is known of two classifiers: a few lines beside the pointer, everything in the panel.

const MOST_IMAGES = 200;

function describeCell(a, b) {
  const quantity = findQuantity(state.quantity);
  const [one, other] = [a, b].map((number) => cutMiddle(nameOf(number), 40));
  if (a === b) return describeItself(a, one);
  const gap = study.gaps[valueOf("gap", a, b)];
  const lines = [`${one} and ${other}`];
  if (gap) lines.push(`no SAT: ${gap}`);
  else lines.push(`SAT ${describeValue(findQuantity("sat"), a, b)}`);
  if (!["sat", "percent", "transfer"].includes(quantity.key)) lines.push(`${quantity.title}: ${describeValue(quantity, a, b)}`);
  if (planes.has("transfer")) {
    lines.push(`${one} → ${other}: ${formatPercent(valueOf("transfer", a, b))} fooled`, `${other} → ${one}: ${formatPercent(valueOf("transfer", b, a))} fooled`);
  } else lines.push(`${formatPercent(valueOf("percent", a, b))} fooled`);
  if (planes.has("count") && !gap) lines.push(`of ${valueOf("count", a, b)} images that both get right when clean`);
  const nearest = study.nearest[a];
  if (nearest?.of === b) lines.push(nearest.isSure ? `the nearest of ${one}` : `may be the nearest of ${one}: these images don't tell`);
  else if (nearest?.orElse.includes(b)) lines.push(`may be the nearest of ${one}, too`);
  return lines;
}

function describeItself(number, name) {
  const own = valueOf(planes.has("transfer") ? "transfer" : "percent", number, number);
  if (Number.isNaN(own)) return [name, "no white-box success"];
  const lines = [name, `attacked itself: ${formatPercent(own)} fooled (white-box success)`];
  if (planes.has("count")) lines.push(`of ${valueOf("count", number, number)} images that it gets right`);
  return study.isWeak[number] ? [...lines, "a weak source: all scores in its row are too low"] : lines;
}

function describeValue(quantity, row, column) {
  const ends = formatEnds(quantity, row, column);
  const value = formatValue(quantity, valueOf(quantity.key, row, column));
  return ends ? `${value} (${formatNumber(study.confidence, 0)} % interval ${ends})` : value;
}

// The panel

function drawPair() {
  const panel = document.getElementById("pair");
  if (!state.pair) return panel.replaceChildren(...suggestPairs());
  const [a, b] = state.pair;
  const gap = study.gaps[valueOf("gap", a, b)];
  panel.replaceChildren(
    make("div", { class: "pair-head" }, make("h3", {}, nameOf(a), make("span", { class: "quiet" }, " and "), nameOf(b)),
      make("button", { type: "button", class: "plain", "aria-label": "Close this pair", onclick: () => change({ pair: null }) }, "×")),
    gap ? make("p", { class: "score" }, "–", make("small", {}, ` no score: ${gap}`)) : drawScore(a, b),
    ...(planes.has("transfer") ? [drawDirection(a, b), drawDirection(b, a)] : [make("p", {}, `An attack on one fools the other on ${formatPercent(valueOf("percent", a, b))} of the images.`)]),
    ...drawImages(a, b),
    ...drawOthers(a, b),
    make("p", { class: "buttons" }, make("button", { type: "button", onclick: () => toggle([a, b]) }, "Choose both"), make("button", { type: "button", onclick: () => change({ chosen: [...new Set([...state.chosen, a, b])].sort((x, y) => x - y), only: true }) }, "Show only these")),
  );
}

function drawScore(a, b) {
  const ends = formatEnds(findQuantity("sat"), a, b);
  return make("p", { class: "score" }, formatNumber(valueOf("sat", a, b)),
    make("small", {}, ends ? ` SAT, ${formatNumber(study.confidence, 0)} % interval ${ends}` : " SAT"));
}

function drawDirection(source, target) {
  const fooled = valueOf("transfer", source, target);
  const rows = [
    make("p", {}, make("b", {}, nameOf(source)), " → ", make("b", {}, nameOf(target)), make("span", { class: "right-number" }, formatPercent(fooled))),
    drawBar(fooled),
  ];
  const same = valueOf("same", source, target);
  if (Number.isFinite(same)) rows.push(make("p", { class: "small" }, `into the same wrong class: ${describeValue(findQuantity("same"), source, target)}`));
  const control = valueOf("control", source, target);
  if (Number.isFinite(control)) {
    const reason = study.transforms.length ? study.differences[study.transforms[source]][study.transforms[target]] : "";
    rows.push(make("p", { class: "small" }, `without attack: ${formatPercent(control)} wrong, preprocessed for the source${reason ? ` (${reason})` : ""}`));
  }
  return make("div", { class: "direction" }, ...rows);
}

function drawBar(percent) {
  const bar = make("i", {});
  bar.style.width = `${Math.min(100, Math.max(0, percent || 0))}%`;
  return make("div", { class: "bar", "aria-hidden": "true" }, bar);
}

// Images that each direction fools: how many, and which where the page holds them.
function drawImages(a, b) {
  const count = valueOf("count", a, b);
  if (!(count > 0) || !planes.has("both")) return [];
  const both = valueOf("both", a, b);
  const forth = Math.round((valueOf("transfer", a, b) * count) / 100) - both;
  const back = Math.round((valueOf("transfer", b, a) * count) / 100) - both;
  if (!(forth >= 0 && back >= 0)) return [];
  const parts = [[both, "fooled both ways", "both"], [forth, `only ${nameOf(a)} → ${nameOf(b)}`, "one"], [back, `only ${nameOf(b)} → ${nameOf(a)}`, "other"], [count - both - forth - back, "neither way", "none"]];
  const strip = make("div", { class: "strip", "aria-hidden": "true" }, ...parts.map(([number, , kind]) => {
    const part = make("i", { class: kind });
    part.style.flexGrow = number;
    return part;
  }));
  const list = make("ul", { class: "strip-key" }, ...parts.map(([number, text, kind]) => make("li", {}, make("i", { class: kind }), `${number} ${text}`)));
  const which = make("details", {}, make("summary", {}, "Which images"));
  which.addEventListener("toggle", () => which.open && which.children.length === 1 && listImages(which, a, b), { once: true });
  return [make("h4", {}, `${count} images that both get right`), strip, list, ...(study.images.length ? [which] : [])];
}

async function listImages(box, a, b) {
  const [forth, back] = [new Set(await listFooled(a, b)), new Set(await listFooled(b, a))];
  const parts = [["both ways", [...forth].filter((image) => back.has(image))], [`only ${nameOf(a)} → ${nameOf(b)}`, [...forth].filter((image) => !back.has(image))], [`only ${nameOf(b)} → ${nameOf(a)}`, [...back].filter((image) => !forth.has(image))]];
  for (const [title, images] of parts) {
    const more = images.length > MOST_IMAGES ? ` and ${images.length - MOST_IMAGES} more` : "";
    box.append(make("p", { class: "small" }, make("b", {}, `${title}: `), images.length ? images.slice(0, MOST_IMAGES).join(", ") + more : "none"));
  }
}

function drawOthers(a, b) {
  const others = study.quantities.filter(({ key }) => key === "normalized" || key.startsWith("rival "));
  if (!others.length) return [];
  return [make("details", {}, make("summary", {}, "Other similarities"), make("dl", { class: "others" }, ...others.map((quantity) => make("div", {},
    make("dt", { title: quantity.reading }, quantity.title), make("dd", {}, formatValue(quantity, valueOf(quantity.key, a, b)), make("small", {}, ` ${formatEnds(quantity, a, b)}`))))))];
}

// Where no pair is chosen: those at both ends.
const MOST_SUGGESTED = 5;

function suggestPairs() {
  const { best, worst } = findEnds(listShown(), MOST_SUGGESTED);
  if (!best.length) return [make("p", { class: "quiet" }, "No pair has a score.")];
  const hint = "Click a cell, or press Enter on it, for all that is known of a pair.";
  return [...listPairs("Most alike", best), ...listPairs("Least alike", worst), make("p", { class: "small" }, hint)];
}

function listPairs(title, pairs) {
  if (!pairs.length) return [];
  const items = pairs.map(({ a, b, value }) => make("li", {}, make("button", { type: "button", class: "plain", onclick: () => change({ pair: [a, b] }) },
    make("span", {}, `${nameOf(a)} and ${nameOf(b)}`), make("b", {}, formatNumber(value)))));
  return [make("h3", {}, title), make("ul", { class: "pairs" }, ...items)];
}

// The few pairs with the highest and those with the lowest SAT, none twice.
function findEnds(numbers, few) {
  const ends = [[], []];
  let count = 0;
  numbers.forEach((one, place) => {
    for (const other of numbers.slice(place + 1)) {
      const value = valueOf("sat", one, other);
      if (Number.isNaN(value)) continue;
      count += 1;
      const pair = { a: Math.min(one, other), b: Math.max(one, other), value };
      keep(ends[0], pair, few, 1);
      keep(ends[1], pair, few, -1);
    }
  });
  const [best, worst] = ends;
  const half = Math.ceil(count / 2);
  return { best: best.slice(0, half), worst: worst.slice(0, count - half) };
}

function keep(list, pair, few, sign) {
  if (list.length === few && sign * (list.at(-1).value - pair.value) >= 0) return;
  const place = list.findIndex(({ value }) => sign * (pair.value - value) > 0);
  list.splice(place < 0 ? list.length : place, 0, pair);
  if (list.length > few) list.pop();
}

function startPair() {
  follow(drawPair);
}

starters.push(startPair);
