// The devices of an account on a server of ours (contract §5). The leader asks, as the key must not reach a page.

import type { Device, DeviceCalls } from "./devicesprotocol.ts";
import { SyncError } from "./errors.ts";
import { below, either, networkError } from "./http.ts";

/** How long a server may take, in milliseconds. */
const PATIENCE = 30_000;

/** Whose devices. */
export interface Owner {
  endpoint: string;
  key: string;
}

/** How the server describes one. */
interface Described {
  id: string;
  name: string;
  created: number;
  last_seen: number;
  current: boolean;
}

/** Those calls of a page that are about devices. */
export interface DeviceCaller {
  call<N extends keyof DeviceCalls>(name: N, params: DeviceCalls[N][0]): Promise<DeviceCalls[N][1]>;
}

/** The devices of the account. */
export class DevicesApi {
  readonly #calls: DeviceCaller;

  constructor(calls: DeviceCaller) {
    this.#calls = calls;
  }

  /**
   * All devices that are signed in to the account. Errors: `auth` without an account, or if the server does not know it any
   * more; `server_message` with `details.reason` `unsupported` if the server has no such list; those of the network.
   */
  list(): Promise<Device[]> {
    return this.#calls.call("devices", null);
  }

  /** Signs a device out: it has to log in again to sync. Errors: `not_found`, and those of {@link DevicesApi.list}. */
  async remove(id: string): Promise<void> {
    if (typeof id !== "string" || !id) throw new SyncError("invalid_input", "the device is named by its id");
    await this.#calls.call("removeDevice", { id });
  }
}

/** Asks the server for the list. */
export async function listDevices(send: typeof fetch, owner: Owner | null, signal: AbortSignal): Promise<Device[]> {
  const { status, text } = await ask(send, owner, "GET", "api/devices", signal);
  if (status === 200) {
    const list = devicesIn(text);
    if (list) return list;
  }
  throw refused(status, "no list of devices");
}

/** Asks the server to sign one out. */
export async function removeDevice(send: typeof fetch, owner: Owner | null, id: string, signal: AbortSignal): Promise<null> {
  const { status } = await ask(send, owner, "DELETE", `api/devices/${encodeURIComponent(id)}`, signal);
  if (status === 204) return null;
  if (status === 404) throw new SyncError("not_found", "the account has no such device");
  throw refused(status, "no list of devices");
}

/** Asks a server of ours something about the account. */
export async function ask(send: typeof fetch, owner: Owner | null, method: string, path: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  if (!owner) throw new SyncError("auth", "there is no account", { hint: "Log in first." });
  const request = {
    method,
    headers: { authorization: `Bearer ${owner.key}` },
    credentials: "omit",
    cache: "no-store",
    signal: either(signal, AbortSignal.timeout(PATIENCE)),
  } as const;
  try {
    const response = await send(below(owner.endpoint, path), request);
    return { status: response.status, text: await response.text() };
  } catch (e) {
    throw networkError(e);
  }
}

/** The devices in an answer; undefined if it is of another kind, as from a server that is none of ours. */
function devicesIn(text: string): Device[] | undefined {
  try {
    const { devices } = JSON.parse(text) as { devices: Described[] };
    return devices.map((d) => ({ id: d.id, name: d.name, created: d.created, lastSeen: d.last_seen, current: d.current }));
  } catch {
    return undefined;
  }
}

/** What an answer means that is none; what a server lacks that is not ours. */
export function refused(status: number, what: string): SyncError {
  if (status === 401) return new SyncError("auth", "the server does not know this device any more", { hint: "Log in again." });
  if (status === 429) return new SyncError("network", "too many requests (429)", { hint: "Try again later." });
  if (status >= 500) return new SyncError("server_error", `the server answered with status ${status}`, { hint: "Try again later." });
  return new SyncError("server_message", `the server has ${what}`, { details: { reason: "unsupported" } });
}
