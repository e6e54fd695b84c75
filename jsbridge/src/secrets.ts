// Seals the keys of accounts with AES-GCM. The key that seals lies in IndexedDB as a CryptoKey that cannot be exported: a
// copy of the browser's files, or a script that reads the database, has the account's key only inside this browser.

import { useTable } from "./indexed.ts";

/** A sealed text. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
}

/** Seals a text of a profile. */
export async function seal(profile: string, text: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = (await keyOf(profile)) ?? (await makeKey(profile));
  return { iv, bytes: await crypto.subtle.encrypt(algorithm(profile, iv), key, new TextEncoder().encode(text)) };
}

/** Opens a sealed text; undefined if the key is gone, or not the one it was sealed with. */
export async function unseal(profile: string, { iv, bytes }: Sealed): Promise<string | undefined> {
  const key = await keyOf(profile);
  if (!key) return undefined;
  try {
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm(profile, iv), key, bytes));
  } catch (e) {
    if (e instanceof DOMException && e.name === "OperationError") return undefined;
    throw e;
  }
}

/** Forgets the key of a profile: what it has sealed cannot be opened any more. */
export async function forgetKey(profile: string): Promise<void> {
  await useTable("keys", "readwrite", (table) => table.delete(profile));
}

function keyOf(profile: string): Promise<CryptoKey | undefined> {
  return useTable("keys", "readonly", (table) => table.get(profile) as IDBRequest<CryptoKey | undefined>);
}

async function makeKey(profile: string): Promise<CryptoKey> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await useTable("keys", "readwrite", (table) => table.put(key, profile));
  return key;
}

/** The name of the profile is sealed in: what was sealed for one is no use in another. */
function algorithm(profile: string, iv: Uint8Array<ArrayBuffer>): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(profile) };
}
