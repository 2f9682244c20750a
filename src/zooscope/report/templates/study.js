"use strict";

// The study's data, as the page holds it: JSON, and matrices as packed numbers in inert script elements.

const UNKNOWN = 65535;
const study = JSON.parse(document.getElementById("study-data").textContent);
const size = study.names.length;
const numberOf = new Map(study.names.map((name, number) => [name, number]));
const planes = new Map();
let flags = null;

class Plane {
  constructor(header, levels) {
    Object.assign(this, header, { levels });
  }

  at(row, column) {
    if (this.is_symmetric && row > column) [row, column] = [column, row];
    const place = this.is_symmetric ? row * size - (row * (row - 1)) / 2 + column - row : row * size + column;
    const level = this.levels[place];
    return level === UNKNOWN ? NaN : this.low + this.step * level;
  }
}

async function unpack(id) {
  const text = document.getElementById(id).textContent.trim();
  if (!text) return null;
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function readStudy() {
  const bytes = await unpack("study-matrices");
  let start = 0;
  for (const header of study.planes) {
    const count = header.is_symmetric ? (size * (size + 1)) / 2 : size * size;
    const levels = new Uint16Array(count);
    for (let place = 0; place < count; place++) levels[place] = bytes[start + place] | (bytes[start + count + place] << 8);
    planes.set(header.name, new Plane(header, levels));
    start += 2 * count;
  }
}

function valueOf(key, row, column) {
  return planes.has(key) ? planes.get(key).at(row, column) : NaN;
}

// Images that an attack on one classifier fools another on; null where the page doesn't hold them.
async function listFooled(source, target) {
  if (!study.images.length) return null;
  flags ??= await unpack("study-flags");
  const start = (source * size + target) * study.images.length;
  return study.images.filter((_, image) => flags[(start + image) >> 3] & (128 >> ((start + image) & 7)));
}

function findQuantity(key) {
  return study.quantities.find((quantity) => quantity.key === key);
}
