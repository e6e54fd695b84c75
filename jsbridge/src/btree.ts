// The b-trees of a database file, read without SQLite (https://sqlite.org/fileformat2.html): the integers of their records. Stepping
// through the rows by SQLite costs several calls into its Wasm each. Whatever is not exactly as expected throws; nothing may write meanwhile.

import type { VfsFile } from "./vfsfile.ts";

// Kinds of leaves; the kind of the interior pages of the same tree is less by INTERIOR.
const TABLE = 13;
const INDEX = 10;
const INTERIOR = 8;
/** The sizes of the values whose types are below 12; those of 10 and 11 are unknown. */
const WIDTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, NaN, NaN];
/** Deeper than any tree of SQLite. */
const DEPTH = 20;
/** How much is read at once. */
const BLOCK = 64 << 10;

function refuse(what: string): never {
  throw new RangeError(`database file: ${what}`);
}

/** The b-trees of a file. Each page may be read once: in a sound file it belongs to one place of one tree. */
export class Trees {
  readonly #pages: Pages;
  /** The part of each page that is used. */
  readonly #usable: number;
  /** A bit for each page that was read. */
  readonly #seen: Uint8Array;
  /** The current page of each level of the current tree, and that of a chain of overflow pages. */
  readonly #levels: DataView[] = [];
  readonly #overflow: DataView;
  readonly #chains: Pages;
  /** A value that does not lie in one page. */
  readonly #value = new DataView(new ArrayBuffer(8));
  /** What follows the number that was read last. */
  #after = 0;

  /** The file must stay open. */
  constructor(file: VfsFile) {
    const head = new DataView(new ArrayBuffer(100));
    file.read(0, new Uint8Array(head.buffer));
    const size = head.getUint16(16);
    this.#pages = new Pages(file, size === 1 ? 65536 : size);
    this.#chains = new Pages(file, this.#pages.size);
    this.#usable = this.#pages.size - head.getUint8(20);
    this.#seen = new Uint8Array((this.#pages.count >> 3) + 1);
    this.#overflow = new DataView(new ArrayBuffer(this.#pages.size));
  }

  /**
   * Calls take for each row of a table that has rowids. out then has the integers in these columns, which ascend, and the rowid; each as
   * its upper and its lower half.
   */
  rows(root: number, columns: readonly number[], out: Int32Array, take: () => void): void {
    this.#walk(root, TABLE, 0, (page, at) => {
      const end = this.#row(page, at, columns, out);
      take();
      return end;
    });
  }

  /** Calls take for each entry of an index in the order of the tree. out then has its integers, the rowid last. */
  entries(root: number, out: Int32Array, take: () => void): void {
    this.#walk(root, INDEX, 0, (page, at) => {
      const end = this.#entry(page, at, out);
      take();
      return end;
    });
  }

  /** Calls cell for each cell that has a record; it returns where in the page that ends. */
  #walk(root: number, leaf: number, depth: number, cell: (page: DataView, at: number) => number): void {
    if (depth === DEPTH) refuse("the tree is too deep");
    const page = (this.#levels[depth] ??= new DataView(new ArrayBuffer(this.#pages.size)));
    this.#read(this.#pages, root, page);
    const kind = page.getUint8(0);
    const interior = kind === leaf - INTERIOR;
    if (!interior && kind !== leaf) refuse("a page of another kind");
    const header = interior ? 12 : 8;
    const end = header + 2 * page.getUint16(3);
    let room = this.#usable - end;
    for (let pointer = header; pointer < end; pointer += 2) {
      const at = page.getUint16(pointer);
      if (at < end) refuse("a cell in the header");
      if (interior) this.#walk(page.getUint32(at), leaf, depth + 1, cell);
      if (!interior) room -= cell(page, at) - at;
      else if (leaf === INDEX) room -= cell(page, at + 4) - at;
      if (room < 0) refuse("cells that overlap"); // there could be thousands of long ones in each page
    }
    if (interior) this.#walk(page.getUint32(8), leaf, depth + 1, cell);
  }

  #read(from: Pages, no: number, page: DataView): void {
    if (no < 2 || no > from.count) refuse("a page out of range");
    const bit = 1 << (no & 7);
    if (this.#seen[no >> 3]! & bit) refuse("a page that is used twice");
    this.#seen[no >> 3]! |= bit;
    from.read(no, page);
  }

  /** The number of at most 28 bits at a place; longer ones are not of what is wanted here. */
  #uint(page: DataView, at: number): number {
    let v = page.getUint8(at++);
    if (v > 127) {
      v &= 127;
      for (let shift = 0; ; shift += 7) {
        if (shift === 21) refuse("a large number");
        const byte = page.getUint8(at++);
        v = (v << 7) | (byte & 127);
        if (byte < 128) break;
      }
    }
    this.#after = at;
    return v;
  }

  /** Reads a number of up to 64 bits, its upper half first. */
  #rowid(page: DataView, at: number, out: Int32Array, to: number): void {
    let high = 0;
    let low = 0;
    for (let i = 0; ; i++) {
      const byte = page.getUint8(at++);
      const bits = i === 8 ? 8 : 7;
      high = (high << bits) | (low >>> (32 - bits));
      low = (low << bits) | (i === 8 ? byte : byte & 127);
      if (i === 8 || byte < 128) break;
    }
    out[to] = high;
    out[to + 1] = low;
    this.#after = at;
  }

  #row(page: DataView, at: number, columns: readonly number[], out: Int32Array): number {
    const size = this.#uint(page, at);
    this.#rowid(page, this.#after, out, 2 * columns.length);
    const start = this.#after;
    const local = this.#local(size);
    if (start + local + (local < size ? 4 : 0) > this.#usable) refuse("a cell beyond its page");
    const head = this.#uint(page, start);
    if (head > local) refuse("a long header");
    const end = start + head;
    at = this.#after;
    let chained = 0; // how many pages of the chain were read
    for (let column = 0, k = 0, value = head; k < columns.length; column++) {
      const type = this.#uint(page, at);
      at = this.#after;
      const next = value + (type < 12 ? WIDTHS[type]! : (type - 12) >> 1);
      if (!(next <= size)) refuse("a value beyond its record");
      if (column === columns[k]) {
        if (next <= local) integer(page, start + value, type, out, 2 * k);
        else {
          chained = this.#gather(page, start, local, chained, value, next);
          integer(this.#value, 0, type, out, 2 * k);
        }
        k++;
      }
      value = next;
    }
    if (at > end) refuse("a short record");
    return start + local;
  }

  /** How much of a record of a table is in the page itself. */
  #local(size: number): number {
    const most = this.#usable - 35;
    if (size <= most) return size;
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const fitting = least + ((size - least) % (this.#usable - 4));
    return fitting <= most ? fitting : least;
  }

  /**
   * Copies a part of a record that begins at start, at most 8 bytes, from the page and the overflow pages, of which so many were read;
   * returns how many are now.
   */
  #gather(page: DataView, start: number, local: number, chained: number, from: number, to: number): number {
    if (to - from > 8) refuse("no integer");
    for (let at = from; at < to; at++) {
      if (at < local) {
        this.#value.setUint8(at - from, page.getUint8(start + at));
        continue;
      }
      const room = this.#usable - 4;
      const index = Math.floor((at - local) / room);
      for (; chained <= index; chained++) {
        const no = chained ? this.#overflow.getUint32(0) : page.getUint32(start + local);
        this.#read(this.#chains, no, this.#overflow);
      }
      this.#value.setUint8(at - from, this.#overflow.getUint8(4 + at - local - index * room));
    }
    return chained;
  }

  #entry(page: DataView, at: number, out: Int32Array): number {
    const size = this.#uint(page, at);
    const start = this.#after;
    // A longer one goes on in other pages.
    if (size > Math.floor(((this.#usable - 12) * 64) / 255) - 23) refuse("a long entry");
    const end = start + this.#uint(page, start);
    at = this.#after;
    let value = end;
    for (let i = 0; i < out.length; i += 2) {
      const type = this.#uint(page, at);
      at = this.#after;
      integer(page, value, type, out, i);
      value += WIDTHS[type]!;
    }
    if (at !== end || value !== start + size || value > this.#usable) refuse("another entry");
    return value;
  }
}

/** Reads an integer of this type, its upper half first. */
function integer(page: DataView, at: number, type: number, out: Int32Array, to: number): void {
  let low = 0;
  let high = 0;
  switch (type) {
    case 1:
      low = page.getInt8(at);
      high = low >> 31;
      break;
    case 2:
      low = page.getInt16(at);
      high = low >> 31;
      break;
    case 3:
      low = (page.getInt16(at) << 8) | page.getUint8(at + 2);
      high = low >> 31;
      break;
    case 4:
      low = page.getInt32(at);
      high = low >> 31;
      break;
    case 5:
      high = page.getInt16(at);
      low = page.getInt32(at + 2);
      break;
    case 6:
      high = page.getInt32(at);
      low = page.getInt32(at + 4);
      break;
    case 8:
      break;
    case 9:
      low = 1;
      break;
    default:
      refuse("no integer");
  }
  out[to] = high;
  out[to + 1] = low;
}

/** Pages of a file. Those of a tree are mostly close to each other, so from the second of a neighbourhood on more are read at once. */
class Pages {
  readonly size: number;
  readonly count: number;
  readonly #file: VfsFile;
  readonly #block: Uint8Array;
  /** The pages in the block: from the first to before the second. */
  #from = 0;
  #to = 0;

  constructor(file: VfsFile, size: number) {
    if (size < 512 || size > BLOCK) refuse("a page size that there is not");
    this.#file = file;
    this.size = size;
    this.count = Math.floor(file.size() / size);
    this.#block = new Uint8Array(BLOCK);
  }

  /** Copies a page. */
  read(no: number, page: DataView): void {
    if (no < this.#from || no >= this.#to) this.#fill(no);
    const at = (no - this.#from) * this.size;
    new Uint8Array(page.buffer).set(this.#block.subarray(at, at + this.size));
  }

  #fill(no: number): void {
    const most = BLOCK / this.size;
    const near = no >= this.#from && no < this.#to + most;
    const n = near ? Math.min(most, this.count - no + 1) : 1;
    this.#from = this.#to = 0;
    const length = n * this.size;
    if (this.#file.read((no - 1) * this.size, this.#block.subarray(0, length)) < length) refuse("the file is short");
    this.#from = no;
    this.#to = no + n;
  }
}
