// A store of media files in a worker, whose methods a test calls by messages (hostrunner/browsertest/mediastore_test.go).

import { Catalogue } from "../../src/catalogue.ts";
import { toFailure } from "../../src/errors.ts";
import type { OpenFile } from "../../src/files.ts";
import type { MediaDraft, MediaFile, MediaSum } from "../../src/media.ts";
import { compile } from "../../src/modules.ts";
import { OpfsMedia } from "../../src/opfsmedia.ts";
import type { Started } from "../../src/sql.ts";
import { Engine } from "../../src/sqlite.ts";
import { authorizeReading } from "../../src/query.ts";

/** One call; handles are numbers that an earlier call has returned. */
export interface Call {
  id: number;
  method: keyof typeof methods;
  args: unknown[];
}

/** How a file was seen, as it crosses JSON. */
type Seen = { size: number; modified: string };

let store: OpfsMedia;
const drafts = new Map<number, MediaDraft>();
const files = new Map<number, OpenFile>();
const scans = new Map<number, Started>();
let last = 0;

function add<T>(map: Map<number, T>, value: T): number {
  map.set(++last, value);
  return last;
}

function get<T>(map: Map<number, T>, handle: number): T {
  const value = map.get(handle);
  if (value === undefined) throw new Error(`there is nothing with the number ${handle}`);
  return value;
}

const out = (f: MediaFile): Seen => ({ size: Number(f.size), modified: String(f.modified) });
const into = (s: Seen): MediaFile => ({ size: BigInt(s.size), modified: BigInt(s.modified) });
const sums = ({ sha1, crc }: MediaSum) => ({ sha1: base64(sha1), crc });

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

const methods = {
  async open(directory: string): Promise<void> {
    const engine = await Engine.opfs(compile("sqlite", "/dist/sqlite3.wasm"), `${directory}/database`);
    engine.install(() => 0, authorizeReading(engine));
    await engine.reserve();
    store = new OpfsMedia(engine, Catalogue.open(engine), directory, `${directory}/media`);
    await store.ready();
  },
  ready: () => store.ready(),
  scan: () => add(scans, store.listing()),
  next(handle: number) {
    const view = new DataView(new ArrayBuffer(64 << 10));
    const { written, done } = get(scans, handle).next(() => view);
    return { rows: base64(new Uint8Array(view.buffer, 0, written)), done };
  },
  closeScan: (handle: number) => get(scans, handle).finalize(),
  stat: (name: string) => out(store.stat(name)),
  hash(name: string) {
    const { file, sum } = store.hash(name);
    return { file: out(file), ...sums(sum) };
  },
  openFile: (name: string) => add(files, store.open(name)),
  size: (handle: number) => get(files, handle).size(),
  read(handle: number, offset: number, length: number) {
    const buffer = new Uint8Array(length);
    return base64(buffer.subarray(0, get(files, handle).read(offset, buffer)));
  },
  writeFile: (handle: number) => get(files, handle).write(0, new Uint8Array(1)),
  create: () => add(drafts, store.create()),
  copy(name: string, seen: Seen) {
    const draft = store.copy(name, into(seen));
    return draft ? add(drafts, draft) : 0;
  },
  write: (handle: number, content: string) => get(drafts, handle).write(bytes(content)),
  sum(handle: number) {
    const { size, sum } = get(drafts, handle).sum();
    return { size: Number(size), ...sums(sum) };
  },
  install(handle: number, name: string, seen: Seen | null) {
    const now = get(drafts, handle).install(name, seen ? into(seen) : undefined);
    return now ? out(now) : null;
  },
  discard: (handle: number) => get(drafts, handle).discard(),
  trash: (name: string, seen: Seen) => store.trash(name, into(seen)),
  expire: (ms: number) => store.expire(ms),
  flush: () => store.flush(),
  inTrash: async (name: string) =>
    Promise.all(store.inTrash(name).map(async (b) => base64(new Uint8Array(await b.arrayBuffer())))),
  settled: () => store.settled(),
  tidy: () => store.tidy(),
  /** Begins to tidy, removes a file on the way, and brings the service worker's copy up to date before the last content is there. */
  async tidyPart(removed: string, contents: number): Promise<void> {
    const { arrayBuffer } = Blob.prototype;
    await new Promise<void>((resolve) => {
      Blob.prototype.arrayBuffer = function () {
        contents--;
        if (contents === 1) {
          store.trash(removed, store.stat(removed));
          store.flush();
        }
        if (contents > 0) return arrayBuffer.call(this);
        resolve();
        return new Promise(() => {});
      };
      void store.tidy();
    });
    await store.settled();
  },
  verify: () => store.verify(),
  file: async (name: string) => base64(new Uint8Array((await (await store.readable(name))?.arrayBuffer()) ?? [])),
  /** Which of the files, sent one after the other without so many bytes at both ends, are not sent as they are. */
  async sent(names: string[], cut: number): Promise<string[]> {
    const wrong: string[] = [];
    for (const name of names) {
      const as = store.stat(name);
      const body = new Blob([await store.blob(name, as, cut, Number(as.size) - 2 * cut)]);
      const whole = (await store.readable(name)) as Blob;
      const [got, want] = await Promise.all([body, whole.slice(cut, whole.size - cut)].map(async (b) => base64(new Uint8Array(await b.arrayBuffer()))));
      if (got !== want || body.size !== whole.size - 2 * cut) wrong.push(name);
    }
    return wrong;
  },
  /** Writes files of these sizes without a pause, as a sync does whose answers come fast. */
  burst(sizes: number[]): void {
    for (const [i, size] of sizes.entries()) {
      const draft = store.create();
      draft.write(new Uint8Array(size).fill(i + 1));
      draft.install(`burst${i}.png`, undefined);
    }
    store.flush();
  },
  /** Writes files as a sync does; returns milliseconds by step. */
  async fill(count: number, size: number): Promise<Record<string, number>> {
    const content = new Uint8Array(size);
    const times = { total: 0, write: 0, install: 0, flush: 0, wait: 0, copy: 0 };
    const start = performance.now();
    let at = start;
    const lap = (step: keyof typeof times): void => {
      const now = performance.now();
      times[step] += now - at;
      at = now;
    };
    for (let i = 0; i < count; i++) {
      content[i % size] = i;
      const draft = store.create();
      draft.write(content);
      draft.sum();
      lap("write");
      draft.install(`file${i}.png`, undefined);
      lap("install");
      if (i % 50 !== 49) continue;
      store.flush();
      lap("flush");
      await new Promise((resolve) => setTimeout(resolve)); // as for the network
      lap("wait");
    }
    await store.settled();
    lap("copy");
    times.total = at - start;
    return times;
  },
  /** Writes an OPFS file for each, 16 at a time: what packs are compared with. */
  async fillFiles(count: number, size: number): Promise<number> {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("single-files", { create: true });
    const content = new Uint8Array(size);
    const start = performance.now();
    let i = 0;
    const work = async (): Promise<void> => {
      while (i < count) {
        const file = await folder.getFileHandle(`file${i++}`, { create: true });
        const handle = await (file as unknown as { createSyncAccessHandle(): Promise<{ write(b: Uint8Array): void; flush(): void; close(): void }> }).createSyncAccessHandle();
        handle.write(content);
        handle.flush();
        handle.close();
      }
    };
    await Promise.all(Array.from({ length: 16 }, work));
    return performance.now() - start;
  },
};

globalThis.onmessage = async ({ data }: MessageEvent<Call>) => {
  try {
    const method = methods[data.method] as (...args: unknown[]) => unknown;
    globalThis.postMessage({ id: data.id, result: (await method(...data.args)) ?? null });
  } catch (e) {
    globalThis.postMessage({ id: data.id, error: toFailure(e) });
  }
};
