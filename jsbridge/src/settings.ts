// The settings of a profile (contract §4). The core checks them and keeps them with the profile.

import { check } from "./checks.ts";

/** What happens by itself. */
export interface Settings {
  /** Sync when the profile is opened, hidden and closed, and after edits. Without it nothing happens by itself. */
  autoSync: boolean;
  /** Sync at once when the server says that another device has synced. */
  live: boolean;
  /** Sync media files as well. */
  syncMedia: boolean;
  /** Minutes between two media syncs; 0: only with the collection. */
  mediaInterval: number;
  /** What is synced by itself on a metered network, or when the browser is told to save data. */
  metered: "all" | "collection" | "none";
}

/** Those calls of a page that settings need. */
export interface SettingsCalls {
  call(name: "settings", params: Partial<Settings> | null): Promise<Settings>;
}

/** The settings of an open profile, the same in all tabs. */
export class SettingsApi {
  readonly #calls: SettingsCalls;

  constructor(calls: SettingsCalls) {
    this.#calls = calls;
  }

  /** The settings as they are now. */
  get(): Promise<Settings> {
    return this.#calls.call("settings", null);
  }

  /** Changes some of them, and returns all. Errors: `invalid_input`, with nothing changed. */
  async set(part: Partial<Settings>): Promise<Settings> {
    return this.#calls.call("settings", { ...check("settings.set", part, { mediaInterval: "number?" }) });
  }
}
