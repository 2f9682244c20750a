"use strict";

// Elements, numbers and colours, for all other scripts. Texts are only ever set as text.

const starters = []; // what each part of the page does when the study is read

function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function theme(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const darkness = matchMedia("(prefers-color-scheme: dark)");

function formatNumber(value, decimals = 2) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

function formatPercent(value) {
  return Number.isFinite(value) ? `${formatNumber(value, 1)} %` : "–";
}

function formatValue(quantity, value) {
  return quantity.isPercent ? formatPercent(value) : formatNumber(value);
}

function formatEnds(quantity, row, column) {
  const [low, high] = [valueOf(`${quantity.key}.low`, row, column), valueOf(`${quantity.key}.high`, row, column)];
  return Number.isFinite(low) && Number.isFinite(high) ? `${formatValue(quantity, low)} to ${formatValue(quantity, high)}` : "";
}

// A name of at most so many letters; names differ least in the middle, so the middle is cut.
function cutMiddle(name, length) {
  const letters = [...name];
  if (letters.length <= length) return name;
  const tail = Math.floor((length - 1) / 2);
  return `${letters.slice(0, length - 1 - tail).join("")}…${letters.slice(letters.length - tail).join("")}`;
}

// Colours

const SHADES = makeShades(study.colours, 256);

function makeShades(colours, count) {
  const parts = colours.map((colour) => [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16)));
  return Array.from({ length: count }, (_, step) => {
    const place = (step / (count - 1)) * (parts.length - 1);
    const left = Math.min(parts.length - 2, Math.floor(place));
    return parts[left].map((part, channel) => Math.round(part + (place - left) * (parts[left + 1][channel] - part)));
  });
}

// The values at both ends of a quantity's colours.
function findLimits(quantity) {
  if (quantity.limits) return quantity.limits;
  let [low, high] = [Infinity, -Infinity];
  for (let row = 0; row < size; row++) {
    for (let column = quantity.isSymmetric ? row + 1 : 0; column < size; column++) {
      const value = row === column ? NaN : valueOf(quantity.key, row, column);
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  quantity.limits = high > low ? [low, high] : Number.isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
  return quantity.limits;
}

// A step of the colours; brightest is most alike.
function findShade(quantity, value) {
  const [low, high] = findLimits(quantity);
  const place = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return Math.round(255 * (quantity.isAlike ? place : 1 - place));
}

const MARKERS = ["circle", "square", "diamond", "triangle", "cross"];

// A colour and a marker for each value of a group; more than 35 values share some.
function chooseStyles(values) {
  const known = [...new Set(values)].filter((value) => value !== "").sort(compareValues);
  const styles = new Map(known.map((value, place) => [value, { colour: groupColour(place), marker: MARKERS[place % MARKERS.length] }]));
  return styles.set("", { colour: theme("--quiet"), marker: "circle" });
}

// Okabe and Ito's black is no colour on a dark page.
function groupColour(place) {
  const colour = study.groupColours[place % study.groupColours.length];
  return colour === "#000000" ? theme("--ink") : darkness.matches ? LIGHTER[colour] ?? colour : colour;
}

const LIGHTER = { "#0072b2": "#4aa8e0", "#d55e00": "#f28a3c", "#009e73": "#2cc79b" };
