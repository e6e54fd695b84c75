// An app's listeners.

/** Calls a listener. What it throws is reported as an error of the page. */
export function tell<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (e) {
    reportError(e);
  }
}

/** Those of one event. The same function may listen several times, each with an end of its own. */
export class Listeners<T> {
  readonly #all = new Set<{ listener: (value: T) => void }>();

  /** Adds one; returns what ends that. */
  add(listener: (value: T) => void): () => void {
    const entry = { listener };
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  /** Calls all of them, but for one that another has just removed. */
  call(value: T): void {
    for (const entry of [...this.#all]) if (this.#all.has(entry)) tell(entry.listener, value);
  }

  /** Removes all of them. */
  clear(): void {
    this.#all.clear();
  }
}
