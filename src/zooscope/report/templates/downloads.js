"use strict";

// Files that the reader takes away: tables as CSV and LaTeX, pictures as SVG and PNG. All are made here, nothing is loaded.

function saveFile(name, content) {
  const address = URL.createObjectURL(content);
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A text that a spreadsheet would run as a formula gets an apostrophe in front.
function formatCsv(rows) {
  const cell = (value) => {
    const text = typeof value === "string" && /^'*[=+\-@\t\r]/.test(value) && !/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "±": "$\\pm$", "→": "$\\to$", "²": "$^2$", "–": "--", "×": "$\\times$" };

function formatLatex([head, ...rows]) {
  const cell = (value) => String(value).replace(/[\\~^−±→²–×&%$#_{}]/g, (letter) => LATEX[letter] ?? `\\${letter}`);
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => row[column] === "" || Number.isFinite(Number(row[column]))));
  const line = (row) => `${row.map(cell).join(" & ")} \\\\`;
  return [`\\begin{tabular}{${isNumber.map((is) => (is ? "r" : "l")).join("")}}`, "\\toprule", line(head), "\\midrule", ...rows.map(line), "\\bottomrule", "\\end{tabular}", ""].join("\n");
}

// The rows of a table on the page; cells with a value of their own give that.
function readRows(table) {
  if (table.rowsOf) return table.rowsOf();
  return [...table.rows].map((row) => [...row.cells].flatMap((cell) => {
    const text = [...(cell.querySelector("[data-text]") ?? cell).childNodes].filter((node) => node.nodeName !== "SMALL" && node.nodeName !== "INPUT").map((node) => node.textContent).join("").trim().replace(/\s+/g, " ");
    return [cell.dataset.value ?? text];
  }));
}

function offerTable(tools, find, name) {
  const save = (kind, format, type) => {
    const table = find();
    if (table) saveFile(`${name}.${kind}`, new Blob([format(readRows(table))], { type }));
  };
  tools.append(make("button", { type: "button", class: "file", onclick: () => save("csv", formatCsv, "text/csv") }, "CSV"),
    make("button", { type: "button", class: "file", onclick: () => save("tex", formatLatex, "text/x-tex") }, "LaTeX"));
}

function offerTables() {
  for (const tools of document.querySelectorAll(".table-tools")) {
    const box = tools.parentElement.closest("div, details, section");
    offerTable(tools, () => box.querySelector("table"), tools.dataset.name);
  }
}

// Pictures: `drawSvg` gives the picture as an SVG element.
function offerPicture(tools, drawSvg, name) {
  const write = () => {
    const picture = drawSvg();
    picture.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    return new XMLSerializer().serializeToString(picture);
  };
  tools.append(make("button", { type: "button", class: "file", onclick: () => saveFile(`${name}.svg`, new Blob([write()], { type: "image/svg+xml" })) }, "SVG"),
    make("button", { type: "button", class: "file", onclick: () => savePng(write(), `${name}.png`) }, "PNG"));
}

async function savePng(text, name, scale = 2) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = make("canvas", { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  const pen = canvas.getContext("2d");
  pen.fillStyle = theme("--page");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((content) => saveFile(name, content), "image/png");
}
