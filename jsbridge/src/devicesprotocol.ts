// The messages between page and worker about the account's devices.

/** A device that is signed in to the account; times are in Unix milliseconds. */
export interface Device {
  id: string;
  /** What it calls itself. */
  name: string;
  created: number;
  lastSeen: number;
  /** Whether it is this one. */
  current: boolean;
}

/** The calls about devices, by name: parameters and result. */
export interface DeviceCalls {
  devices: [null, Device[]];
  removeDevice: [{ id: string }, null];
}
