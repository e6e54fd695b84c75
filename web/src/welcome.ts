// Whether the first page, which offers an account, has been passed.

import { signal } from "@preact/signals";
import { recall, remember } from "./remembered.ts";

const KEY = "cardferry.welcomed";

/** True once the person has chosen how to start. */
export const welcomed = signal(recall(KEY) !== null);

/** Remembers that. */
export function setWelcomed(): void {
  remember(KEY, "1");
  welcomed.value = true;
}
