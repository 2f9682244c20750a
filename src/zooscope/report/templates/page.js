"use strict";

// Starts the page: sorts tables, reads the study, lets every part follow the state.

function sortBy(heading, column) {
  const table = heading.closest("table");
  const button = heading.querySelector("button");
  const now = heading.getAttribute("aria-sort");
  const order = now ? (now === "ascending" ? "descending" : "ascending") : button.dataset.first;
  const sign = order === "ascending" ? 1 : -1;
  const compare = (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[column]);
    if (a.dataset.value === undefined) return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
    const [x, y] = [a, b].map((cell) => parseFloat(cell.dataset.value));
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y); // rows without a value stay last
    return sign * (x - y);
  };
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => sortBy(heading, column));
  });
}

// The address keeps the state, so a link to a section only scrolls.
function followLinks() {
  for (const link of document.querySelectorAll("a[href^='#']")) {
    link.addEventListener("click", (event) => {
      const target = document.getElementById(link.getAttribute("href").slice(1));
      if (!target) return;
      event.preventDefault();
      target.scrollIntoView();
      target.focus({ preventScroll: true });
    });
  }
}

async function startPage() {
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  followLinks();
  offerTables();
  await readStudy();
  readAddress();
  for (const start of starters) start();
  tellFollowers();
  addEventListener("hashchange", () => {
    readAddress();
    tellFollowers();
  });
  document.documentElement.dataset.report = "ready";
  performance.mark("report-ready");
}

startPage();
