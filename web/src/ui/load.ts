// Reading what a view shows.

import { useEffect, useRef, useState } from "preact/hooks";
import { complain } from "../ferry.ts";

/**
 * Returns what read gives, undefined until the first answer. It is read again when a dependency changes; until then the
 * old value stays, so nothing flickers. Read is told when nobody waits for its answer any more.
 */
export function useLoad<T>(read: (stale: AbortSignal) => Promise<T>, dependencies: readonly unknown[]): T | undefined {
  const [value, set] = useState<T>();
  useEffect(() => {
    const stale = new AbortController();
    read(stale.signal).then((v) => stale.signal.aborted || set(v), (e: unknown) => stale.signal.aborted || complain(e));
    return () => stale.abort();
  }, dependencies);
  return value;
}

/** Whether that has been so once: a place that need not wait for what it reads any more does not go away again. */
export function useOnce(now: boolean): boolean {
  const once = useRef(false);
  return (once.current ||= now);
}
