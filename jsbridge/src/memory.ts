// The guest's memory as the host modules see it: bounds are checked, and views are renewed when it has grown.

/** Reads and writes the guest's memory. Pointers and lengths come as the guest gave them: signed 32 bit numbers. */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined;
  #bytes = new Uint8Array(0);
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Says which memory to use; called once, after instantiation. */
  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The whole memory. The array is valid until the guest runs again. */
  get bytes(): Uint8Array {
    const buffer = this.#memory?.buffer;
    if (!buffer) throw new Error("the guest has no memory yet");
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }

  /** The bytes at ptr, not copied: valid until the guest runs again. A pointer outside of the memory throws. */
  view(ptr: number, length: number): Uint8Array {
    const all = this.bytes;
    const start = ptr >>> 0;
    const end = start + (length >>> 0);
    if (end > all.length) throw new RangeError(`the guest names ${length >>> 0} bytes at ${start}, outside of its memory`);
    return all.subarray(start, end);
  }

  /** A copy of the bytes at ptr. */
  copy(ptr: number, length: number): Uint8Array<ArrayBuffer> {
    return this.view(ptr, length).slice() as Uint8Array<ArrayBuffer>;
  }

  /** The text at ptr. */
  text(ptr: number, length: number): string {
    return this.#decoder.decode(this.view(ptr, length));
  }

  /**
   * What gives the bytes at ptr as a DataView, each time one that is good until the guest runs again: SQLite asks it to compare texts, for
   * which its memory may grow, and an older view is of no memory then.
   */
  lasting(ptr: number, length: number): () => DataView {
    let view = this.data(ptr, length);
    return () => (view.buffer === this.bytes.buffer ? view : (view = this.data(ptr, length)));
  }

  /** A DataView of the bytes at ptr. */
  data(ptr: number, length: number): DataView {
    const v = this.view(ptr, length);
    return new DataView(v.buffer, v.byteOffset, v.byteLength);
  }
}
