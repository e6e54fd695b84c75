// Web Locks: who owns a profile, and which tabs are alive. The browser lets a lock go when the worker that has it ends,
// however it ends.

/** The lock of the tab that owns a profile. */
export const ownerLock = (profile: string): string => `cardferry:${profile}`;
/** The lock that a tab has as long as it lives. */
export const aliveLock = (profile: string, tab: string): string => `cardferry:${profile}:tab:${tab}`;

/** Waits for a lock and returns what lets it go. Rejects when signal fires first. */
export function takeLock(name: string, signal?: AbortSignal): Promise<() => void> {
  return new Promise((taken, refused) => {
    const hold = (): Promise<void> => new Promise<void>((release) => taken(release));
    navigator.locks.request(name, signal ? { signal } : {}, hold).catch(refused);
  });
}

/** Calls gone once nobody has the lock any more; signal ends the watch. */
export function watchLock(name: string, gone: () => void, signal: AbortSignal): void {
  navigator.locks.request(name, { signal }, gone).catch(() => {}); // only ever rejected by signal
}
