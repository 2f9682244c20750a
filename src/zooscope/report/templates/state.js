"use strict";

// What the reader chose. It is one object, everything on the page follows it, and the address after # keeps it.

const DEFAULTS = {
  quantity: "sat",
  order: "similarity",
  colour: "", // of the map; the first group by default
  chosen: [], // numbers of classifiers
  only: false, // show the chosen ones alone
  component: "", // to filter by
  value: "",
  mark: "", // a pattern of names to highlight
  rename: "", // a pattern of names to replace
  by: "", // what replaces it
  pair: null, // numbers of two classifiers
};
const state = { ...DEFAULTS };
const followers = [];

function follow(follower) {
  followers.push(follower);
}

function change(part) {
  Object.assign(state, part);
  if ("chosen" in part && !state.chosen.length) state.only = false;
  keepAddress();
  tellFollowers();
}

function keepAddress() {
  try {
    history.replaceState(null, "", writeAddress() || location.pathname + location.search);
  } catch {
    // Inside a notebook the page has no address of its own.
  }
}

function tellFollowers() {
  for (const follower of followers) follower(state);
}

function toggle(numbers) {
  const chosen = new Set(state.chosen);
  const all = numbers.every((number) => chosen.has(number));
  for (const number of numbers) all ? chosen.delete(number) : chosen.add(number);
  change({ chosen: [...chosen].sort((a, b) => a - b) });
}

// The address

function writeAddress() {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (key === "chosen") for (const number of value) words.append(key, study.names[number]);
    else if (key === "pair") for (const number of value ?? []) words.append(key, study.names[number]);
    else if (value !== DEFAULTS[key]) words.set(key, value === true ? "yes" : value);
  }
  const text = words.toString();
  return text && `#${text}`;
}

function readAddress() {
  if (location.hash && !location.hash.includes("=")) return; // a section's name
  const words = new URLSearchParams(location.hash.slice(1));
  const find = (key) => words.getAll(key).filter((name) => numberOf.has(name)).map((name) => numberOf.get(name));
  const text = (key) => words.get(key) ?? DEFAULTS[key];
  const pair = find("pair");
  Object.assign(state, DEFAULTS, {
    quantity: findQuantity(text("quantity")) ? text("quantity") : DEFAULTS.quantity,
    order: text("order") === "name" || text("order") in study.groups ? text("order") : DEFAULTS.order,
    colour: text("colour") in study.groups ? text("colour") : DEFAULTS.colour,
    chosen: [...new Set(find("chosen"))].sort((a, b) => a - b),
    only: words.get("only") === "yes" && find("chosen").length > 0,
    component: text("component") in study.groups ? text("component") : "",
    value: text("value"),
    mark: text("mark"),
    rename: text("rename"),
    by: text("by"),
    pair: pair.length === 2 ? pair : null,
  });
}

// Names, as the state has them

// A pattern as a regular expression; what is none is taken letter by letter.
const patterns = new Map();

function makePattern(text) {
  if (!patterns.has(text)) patterns.set(text, compile(text));
  return patterns.get(text);
}

function compile(text) {
  try {
    return new RegExp(text, "iu");
  } catch {
    return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
  }
}

function nameOf(number) {
  const name = study.short[number];
  return state.rename ? name.replace(makePattern(state.rename), state.by) : name;
}

function isMarked(number) {
  return state.mark !== "" && makePattern(state.mark).test(nameOf(number));
}

function isShown(number) {
  if (state.only && !state.chosen.includes(number)) return false;
  return !state.component || study.groups[state.component][number] === state.value;
}

// The classifiers that are shown, in their order.
function listShown() {
  const numbers = study.order.filter(isShown);
  if (state.order === "name") numbers.sort((a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true }));
  else if (state.order !== "similarity") {
    const values = study.groups[state.order];
    numbers.sort((a, b) => compareValues(values[a], values[b]));
  }
  return numbers;
}

// Numbers by size, then texts; unknown values last.
function compareValues(one, other) {
  if (!one || !other) return Number(!one) - Number(!other);
  return one.localeCompare(other, "en", { numeric: true });
}
