// The results of calls that must not be done twice, for a tab that has not heard the result because the leader has died: a
// second download would replace what another tab has edited since. Edits have a record of their own, in their transaction.

import type { CallName } from "./protocol.ts";
import { useTable } from "./indexed.ts";

/** The calls that are recorded. */
const RECORDED: ReadonlySet<string> = new Set(["upload", "download", "restore", "importFile"]);
/** How many results are kept. */
const KEPT = 32;

interface Entry {
  key: string;
  result: unknown;
}

/** Runs a call unless it has been done already. */
export async function once<T>(
  profile: string,
  call: { key: string; name: CallName; again: boolean },
  run: () => Promise<T>,
): Promise<T> {
  if (!RECORDED.has(call.name)) return run();
  if (call.again) {
    const done = (await entries(profile)).find((e) => e.key === call.key);
    if (done) return done.result as T;
  }
  const result = await run();
  await record(profile, { key: call.key, result }).catch(() => {}); // a full storage: what was done is done all the same
  return result;
}

async function record(profile: string, entry: Entry): Promise<void> {
  const kept = [entry, ...(await entries(profile))].slice(0, KEPT);
  await useTable("finished", "readwrite", (table) => table.put(kept, profile));
}

async function entries(profile: string): Promise<Entry[]> {
  const stored = await useTable(
    "finished",
    "readonly",
    (table) => table.get(profile) as IDBRequest<Entry[] | undefined>,
  );
  return stored ?? [];
}
