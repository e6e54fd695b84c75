// Reading what a view shows.

import { useEffect, useRef, useState } from "preact/hooks";
import { complain } from "../ferry.ts";

/**
 * Returns what read gives, undefined until the first answer. It is read again when a dependency changes; until then the
 * old value stays, so nothing flickers.
 */
export function useLoad<T>(read: () => Promise<T>, dependencies: readonly unknown[]): T | undefined {
  const [value, set] = useState<T>();
  useEffect(() => {
    let stale = false;
    read().then((v) => !stale && set(v), (e: unknown) => !stale && complain(e));
    return () => void (stale = true);
  }, dependencies);
  return value;
}

/** Whether that has been so once: a place that need not wait for what it reads any more does not go away again. */
export function useOnce(now: boolean): boolean {
  const once = useRef(false);
  return (once.current ||= now);
}
