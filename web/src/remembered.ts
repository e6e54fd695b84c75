// What the app itself remembers on this device. Where a browser is told to store nothing, even asking throws: then
// nothing is remembered, and the page lives to say what is wrong.

/** What is remembered under a key, null for nothing. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers a text, or with null nothing any more. */
export function remember(key: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // full, or blocked: it holds until the page is closed
  }
}
