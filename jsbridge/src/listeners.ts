// An app's listeners.

/** Those of one event. The same function may listen several times, each with an end of its own. */
export class Listeners<T> {
  readonly #all = new Set<{ listener: (value: T) => void }>();

  /** Adds one; returns what ends that. */
  add(listener: (value: T) => void): () => void {
    const entry = { listener };
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  /**
   * Calls all of them, but for one that another has just removed. What one throws is reported as an error of the page, and the others are
   * called all the same.
   */
  call(value: T): void {
    for (const entry of [...this.#all]) {
      if (!this.#all.has(entry)) continue;
      try {
        entry.listener(value);
      } catch (e) {
        reportError(e);
      }
    }
  }

  /** Removes all of them. */
  clear(): void {
    this.#all.clear();
  }
}
