// @ts-check
// Draws the icon, a card on one wave, as a PNG file. The same shapes are in src/icon.svg.
import { deflateSync } from "node:zlib";

const SAMPLES = 3;

/** The colour at a point of the unit square. @param {number} x @param {number} y @returns {[number, number, number]} */
function colour(x, y) {
  const wave = 0.715 - 0.05 * Math.sin((x - 0.1) * Math.PI * 5);
  if (y > wave && y < wave + 0.07 && x > 0.1 && x < 0.9) return [0xff, 0xff, 0xff];
  if (y > wave - 0.05) return [0x0f, 0x5f, 0xa8];
  return card(x, y) ?? [0x0f, 0x5f, 0xa8];
}

/** The card: white, tilted, with one line of text on it. @param {number} x @param {number} y @returns {[number, number, number] | undefined} */
function card(x, y) {
  const angle = -0.12;
  const dx = x - 0.5, dy = y - 0.47;
  const u = Math.abs(dx * Math.cos(angle) - dy * Math.sin(angle)), v = dx * Math.sin(angle) + dy * Math.cos(angle);
  const radius = 0.045, w = 0.2, h = 0.27;
  const cx = Math.max(u - (w - radius), 0), cy = Math.max(Math.abs(v) - (h - radius), 0);
  if (Math.hypot(cx, cy) > radius) return undefined;
  return u < 0.11 && Math.abs(v + 0.1) < 0.022 ? [0x6f, 0xb1, 0xf2] : [0xff, 0xff, 0xff];
}

/** Returns the icon as a PNG file. @param {number} size */
export function iconPNG(size) {
  const rows = Buffer.alloc((size * 3 + 1) * size);
  let at = 0;
  for (let y = 0; y < size; y++) {
    at++; // no filter
    for (let x = 0; x < size; x++) {
      const sum = [0, 0, 0];
      for (let s = 0; s < SAMPLES * SAMPLES; s++) {
        const px = (x + ((s % SAMPLES) + 0.5) / SAMPLES) / size, py = (y + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES) / size;
        colour(px, py).forEach((c, i) => (sum[i] = (sum[i] ?? 0) + c));
      }
      for (const c of sum) rows[at++] = Math.round(c / (SAMPLES * SAMPLES));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** @param {string} kind @param {Buffer} data */
function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), body.length + 4);
  return out;
}

/** @param {Buffer} data */
function crc(data) {
  let c = 0xffffffff;
  for (const b of data) {
    c ^= b;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}
