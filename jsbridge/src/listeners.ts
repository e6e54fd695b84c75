// Telling an app's listeners.

/** Calls all listeners. What one throws is reported as an error of the page, and the others are called all the same. */
export function callAll<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (e) {
      reportError(e);
    }
  }
}
