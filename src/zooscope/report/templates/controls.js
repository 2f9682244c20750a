"use strict";

// The bar of controls: search, filter, highlight, rename. They show the state, and change it.

const MOST_FOUND = 12;
const control = (id) => document.getElementById(id);

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
}

function drawControls() {
  const groups = Object.keys(study.groups).map((name) => [name, name]);
  fillSelect(control("component"), [["", "all classifiers"], ...groups], state.component);
  control("component").closest("p").hidden = !groups.length;
  const values = state.component ? [...new Set(study.groups[state.component])].sort(compareValues) : [];
  fillSelect(control("value"), values.map((value) => [value, value || "not known"]), state.value);
  control("value").hidden = !state.component;
  control("only").checked = state.only;
  control("only").disabled = !state.chosen.length;
  for (const key of ["mark", "rename", "by"]) if (control(key) !== document.activeElement) control(key).value = state[key];
  drawChips();
  drawFound();
  markRows();
}

function drawChips() {
  const chips = state.chosen.map((number) => make("li", {}, make("button", { type: "button", "aria-label": `Leave out ${nameOf(number)}`, onclick: () => toggle([number]) }, `${cutMiddle(nameOf(number), 28)} ×`)));
  const few = chips.slice(0, MOST_FOUND);
  if (chips.length > few.length) few.push(make("li", { class: "quiet" }, `and ${chips.length - few.length} more`));
  if (chips.length) few.push(make("li", {}, make("button", { type: "button", class: "plain", onclick: () => change({ chosen: [], only: false }) }, "Clear")));
  control("chips").replaceChildren(...few);
  control("chips").hidden = !chips.length;
}

// What the search box finds, in the names as they are and as they are shown.
function findNames(text) {
  const pattern = makePattern(text);
  return study.names.map((_, number) => number).filter((number) => pattern.test(study.names[number]) || pattern.test(nameOf(number)));
}

function drawFound() {
  const text = control("search").value.trim();
  const found = text ? findNames(text) : [];
  const list = found.slice(0, MOST_FOUND).map((number) => make("label", {}, make("input", { type: "checkbox", checked: state.chosen.includes(number), onchange: () => toggle([number]) }), ` ${nameOf(number)}`));
  const more = found.length > list.length ? [make("p", { class: "small" }, `and ${found.length - list.length} more`)] : [];
  const hint = found.length ? "Enter chooses all of them." : "No classifier has such a name.";
  control("found").replaceChildren(...(text ? [...list, ...more, make("p", { class: "small" }, hint)] : []));
  control("found").hidden = !text;
}

// Tables with a row per classifier.
function markRows() {
  for (const row of document.querySelectorAll("tr[data-classifier]")) {
    const number = Number(row.dataset.classifier);
    const isChosen = state.chosen.includes(number);
    row.classList.toggle("chosen", isChosen);
    row.hidden = !isShown(number);
    const box = row.querySelector("input");
    if (box) box.checked = isChosen;
    const name = row.querySelector("[data-text]");
    if (name) name.textContent = nameOf(number);
    name?.classList.toggle("marked", isMarked(number));
  }
}

function addBoxes() {
  for (const row of document.querySelectorAll("tr[data-classifier]")) {
    const number = Number(row.dataset.classifier);
    const box = make("input", { type: "checkbox", "aria-label": `Choose ${study.names[number]}`, onchange: () => toggle([number]) });
    row.cells[0].prepend(box, " ");
  }
}

function startControls() {
  addBoxes();
  control("search").addEventListener("input", drawFound);
  control("search").addEventListener("keydown", (event) => {
    if (event.key === "Escape") control("search").value = "";
    else if (event.key === "Enter" && control("search").value.trim()) toggle(findNames(control("search").value.trim()));
    else return;
    event.preventDefault();
    drawFound();
  });
  control("component").addEventListener("change", () => {
    const component = control("component").value;
    change({ component, value: component ? [...new Set(study.groups[component])].sort(compareValues)[0] : "" });
  });
  control("value").addEventListener("change", () => change({ value: control("value").value }));
  control("only").addEventListener("change", () => change({ only: control("only").checked }));
  for (const key of ["mark", "rename", "by"]) control(key).addEventListener("input", () => change({ [key]: control(key).value }));
  const bar = control("controls");
  bar.hidden = false;
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar); // its rows depend on the width
  follow(drawControls);
}

starters.push(startControls);
