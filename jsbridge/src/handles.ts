// Handles of OPFS files that do not wait for the disk in vain. The pool of SQLite flushes a file whenever it is closed and cuts every
// free one when it is opened: at a start that were some thirty waits, the larger half of the time, for files that nobody had written.

/** What TypeScript does not know of pages and workers at the same time. */
interface Handle {
  write(bytes: BufferSource, options?: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  getSize(): number;
}

/**
 * Makes the flushing of a handle do nothing if nothing was written through it, and the cutting if the file has that size. A handle is the
 * only one of its file, so nothing else can have written.
 */
export function sparingly(handle: Handle): void {
  const written = new WeakSet<Handle>();
  const { write, truncate, flush } = handle;
  handle.write = function (bytes, options) {
    written.add(this);
    return options ? write.call(this, bytes, options) : write.call(this, bytes);
  };
  handle.truncate = function (size) {
    if (this.getSize() === size) return;
    written.add(this);
    truncate.call(this, size);
  };
  handle.flush = function () {
    if (!written.has(this)) return;
    flush.call(this);
    written.delete(this);
  };
}
