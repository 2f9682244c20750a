"use strict";

// The table of all pairs that are shown. Its rows are made when it is opened, a page at a time.

const ROWS_AT_ONCE = 50;
const pairTable = { rows: [], by: "sat", sign: -1, limit: ROWS_AT_ONCE };

function listPairColumns() {
  const columns = [{ title: "A", text: (a) => nameOf(a) }, { title: "B", text: (a, b) => nameOf(b) }];
  for (const quantity of study.quantities) {
    const one = (title, key, flip) => columns.push({
      title, key, quantity,
      value: (a, b) => (flip ? valueOf(quantity.key, b, a) : valueOf(quantity.key, a, b)),
      ends: (a, b) => (flip ? formatEnds(quantity, b, a) : formatEnds(quantity, a, b)),
    });
    if (quantity.isSymmetric) one(quantity.title, quantity.key, false);
    else {
      const title = quantity.key === "transfer" ? "Fooled" : quantity.title;
      one(`${title}, A to B`, `${quantity.key} forth`, false);
      one(`${title}, B to A`, `${quantity.key} back`, true);
    }
  }
  if (planes.has("count")) columns.push({ title: "Images", key: "count", quantity: { isCount: true }, value: (a, b) => valueOf("count", a, b), ends: () => "" });
  return columns;
}

// All pairs; of the chosen classifiers those with one of them.
function collectPairs() {
  const shown = listShown().sort((a, b) => a - b);
  const chosen = new Set(state.chosen);
  const rows = [];
  shown.forEach((a, place) => {
    for (const b of shown.slice(place + 1)) if (!chosen.size || chosen.has(a) || chosen.has(b)) rows.push([a, b]);
  });
  const column = listPairColumns().find(({ key }) => key === pairTable.by);
  const values = new Map(rows.map((row) => [row, column.value(...row)]));
  return rows.sort((one, other) => {
    const [x, y] = [values.get(one), values.get(other)];
    return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : pairTable.sign * (x - y);
  });
}

function drawPairTable() {
  const box = document.getElementById("pair-table");
  if (!box.closest("details").open) return;
  const columns = listPairColumns();
  pairTable.rows = collectPairs();
  const rows = pairTable.rows.slice(0, pairTable.limit);
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...columns.map(drawHeading))),
    make("tbody", {}, ...rows.map((row) => drawPairRow(columns, row))));
  table.rowsOf = () => listAllRows(columns);
  table.fileName = "pairs";
  box.replaceChildren(table);
  const rest = pairTable.rows.length - rows.length;
  const more = document.getElementById("more-pairs");
  more.hidden = rest <= 0;
  more.textContent = `Show ${Math.min(rest, ROWS_AT_ONCE)} more of ${rest}`;
}

function drawHeading(column) {
  if (!column.key) return make("th", { scope: "col" }, column.title);
  const isSorted = pairTable.by === column.key;
  const sort = () => {
    Object.assign(pairTable, { sign: isSorted ? -pairTable.sign : -1, by: column.key, limit: ROWS_AT_ONCE });
    drawPairTable();
    document.querySelector(`#pair-table th[aria-sort] button`)?.focus();
  };
  return make("th", { scope: "col", class: "number", "aria-sort": isSorted ? (pairTable.sign < 0 ? "descending" : "ascending") : null },
    make("button", { type: "button", onclick: sort }, column.title));
}

function drawPairRow(columns, [a, b]) {
  const gap = study.gaps[valueOf("gap", a, b)];
  return make("tr", {}, ...columns.map((column) => {
    if (!column.key) return make("td", { class: "name" }, column.text(a, b));
    const ends = column.ends(a, b);
    return make("td", { class: "number" }, formatCell(column, a, b), ...(ends ? [make("small", {}, ends)] : column.key === "sat" && gap ? [make("small", {}, gap)] : []));
  }));
}

function formatCell({ quantity, value }, a, b) {
  return quantity.isCount ? String(value(a, b)) : formatValue(quantity, value(a, b));
}

// For a file: all rows, plain numbers, both ends of each interval in columns of their own.
function listAllRows(columns) {
  const head = columns.flatMap(({ title, quantity }) => (quantity?.hasEnds ? [title, `${title}, low`, `${title}, high`] : [title]));
  const plain = (value) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : "");
  const rows = pairTable.rows.map(([a, b]) => columns.flatMap((column) => {
    if (!column.key) return [column.text(a, b)];
    const { quantity, key } = column;
    const [row, other] = key.endsWith(" back") ? [b, a] : [a, b];
    return [plain(column.value(a, b)), ...(quantity.hasEnds ? ["low", "high"].map((end) => plain(valueOf(`${quantity.key}.${end}`, row, other))) : [])];
  }));
  return [head, ...rows];
}

function startPairs() {
  const box = document.getElementById("pair-table");
  if (!box) return;
  box.closest("details").addEventListener("toggle", drawPairTable);
  document.getElementById("more-pairs").addEventListener("click", () => {
    pairTable.limit += ROWS_AT_ONCE;
    drawPairTable();
  });
  follow(drawPairTable);
}

starters.push(startPairs);
