// One worker owns a profile.

import { SyncError } from "./errors.ts";

/** How long a tab waits for one that is just going away. */
const PATIENCE = 1000;

/** Takes the lock of a profile and returns what lets it go. Errors: `busy` while another tab has it. */
export async function lockProfile(profile: string): Promise<() => void> {
  let unlock = (): void => {};
  const held = new Promise<void>((resolve) => (unlock = resolve));
  await new Promise<void>((taken, refused) => {
    const options = { signal: AbortSignal.timeout(PATIENCE) };
    const hold = (): Promise<void> => {
      taken();
      return held;
    };
    navigator.locks.request(`cardferry:${profile}`, options, hold).catch(refused);
  }).catch((e: unknown) => {
    throw new SyncError("busy", `the profile ${profile} is open in another tab`, {
      hint: "Close the other tab, or use it.",
      details: { cause: String(e) },
    });
  });
  return unlock;
}
