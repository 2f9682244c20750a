"use strict";

// Teacher candidates for the student that is chosen: of another base architecture the least alike first, of its own the most alike.

function drawTeachers() {
  const student = Number(document.getElementById("student").value || 0);
  const bases = JSON.parse(document.getElementById("bases").textContent);
  const others = study.names.map((_, number) => number).filter((number) => number !== student && isShown(number) && Number.isFinite(valueOf("sat", student, number)));
  const rank = (kind, sign) => others.filter(kind).sort((a, b) => sign * (valueOf("sat", student, a) - valueOf("sat", student, b)));
  const parts = [
    ["another base architecture", rank((number) => bases[number] && bases[student] && bases[number] !== bases[student], 1)],
    ["its own base architecture", rank((number) => bases[number] && bases[number] === bases[student], -1)],
    ["not ranked: base architecture not known", rank((number) => !bases[number] || !bases[student], -1)],
  ];
  const row = (kind, number, place) => make("tr", {}, make("td", {}, kind), make("td", { class: "number" }, String(place + 1)), make("td", { class: "name" }, nameOf(number)),
    make("td", {}, bases[number] || "–"), make("td", { class: "number" }, formatNumber(valueOf("sat", student, number)), make("small", {}, formatEnds(findQuantity("sat"), student, number))));
  const headings = ["Teachers of", "Rank", "Classifier", "Base architecture", "SAT to the student"];
  document.getElementById("teachers").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...headings.map((title) => make("th", { scope: "col" }, title)))),
    make("tbody", {}, ...parts.flatMap(([kind, numbers]) => numbers.map((number, place) => row(kind, number, place))))));
}

function startTeachers() {
  const select = document.getElementById("student");
  if (!select) return;
  select.addEventListener("change", drawTeachers);
  follow(() => {
    fillSelect(select, study.names.map((_, number) => [String(number), nameOf(number)]), select.value || "0");
    drawTeachers();
  });
}

starters.push(startTeachers);
