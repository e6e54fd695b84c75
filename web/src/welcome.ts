// Whether the first page, which offers an account, has been passed.

import { signal } from "@preact/signals";

const KEY = "cardferry.welcomed";

/** True once the person has chosen how to start. */
export const welcomed = signal(localStorage.getItem(KEY) !== null);

/** Remembers that. */
export function setWelcomed(): void {
  localStorage.setItem(KEY, "1");
  welcomed.value = true;
}
