// A host for tests: the guest under Node with databases and files in memory, driven by JSON lines.
//
//	node dist/test/nodehost.js CORE.wasm
//
// Standard input has {"id":1,"method":"sync","params":{…}}, standard output {"id":1,"result":…} or
// {"id":1,"error":{"kind":"auth","message":…,"hint":…,"changed":…,"details":…}}, and {"id":1,"progress":{…}} before.
// Besides the methods of the guest there are exec {sql}, query {sql, params}, export {path} and import {path} (the
// whole collection file; import only while it is closed), putFile {name, data}, getFile {name}, removeFile {name} and
// listFiles {} (media files, as another program would see them; data in base64), and cancel {id}; exportFile and importFile
// take the path of the package.

import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { exportFile, importFile } from "../src/colpkg.ts";
import { toFailure } from "../src/errors.ts";
import { Profile } from "../src/profile.ts";
import type { Method } from "../src/protocol.gen.ts";
import type { Param } from "../src/protocol.ts";
import { Engine } from "../src/sqlite.ts";
import { zstdOf } from "./frames.ts";
import { guestFile } from "./gojs.ts";
import { MemoryMedia } from "./mediastore.ts";

interface Line {
  id: number;
  method: string;
  params?: Record<string, unknown> | null;
}

console.log = console.error; // standard output is for answers only
const [core] = process.argv.slice(2);
if (!core) throw new Error("usage: node nodehost.js CORE.wasm");
const media = new MemoryMedia();
const here = { ready: () => Promise.resolve() };
const log = (line: string): void => console.error(line);
const profile = await Profile.create(await Engine.memory(), await guestFile(core), log, () => media, zstdOf());
const running = new Map<number, AbortController>();

const write = (answer: object): void => {
  const json = JSON.stringify(answer, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v));
  process.stdout.write(`${json}\n`);
};

async function run({ id, method, params: given }: Line, signal: AbortSignal): Promise<unknown> {
  const params = given ?? {};
  switch (method) {
    case "exec":
      return (await profile.exec(String(params.sql)), null);
    case "query":
      return profile.query(String(params.sql), (params.params ?? []) as Param[]);
    case "export":
      return (await writeFile(String(params.path), Buffer.from(await (await profile.dump()).arrayBuffer())), null);
    case "import":
      return (profile.load(new Uint8Array(await readFile(String(params.path)))), null);
    case "exportFile": {
      const content = await exportFile(profile, here, { media: params.media === true }, { signal });
      return (await writeFile(String(params.path), Buffer.from(await content.arrayBuffer())), null);
    }
    case "importFile":
      return importFile(profile, here, { file: new Blob([await readFile(String(params.path))]) }, { signal });
    case "putFile":
      return (media.put(String(params.name), Buffer.from(String(params.data), "base64")), null);
    case "getFile":
      return media.get(String(params.name)).toString("base64");
    case "removeFile":
      return (media.remove(String(params.name)), null);
    case "listFiles":
      return media.names();
    case "cancel":
      return (running.get(Number(params.id))?.abort(), null);
  }
  return profile.call(method as Method, params, { signal, progress: (p) => write({ id, progress: p }) });
}

async function answer(line: Line): Promise<void> {
  const controller = new AbortController();
  running.set(line.id, controller);
  try {
    write({ id: line.id, result: await run(line, controller.signal) });
  } catch (e) {
    write({ id: line.id, error: toFailure(e) });
  } finally {
    running.delete(line.id);
  }
}

for await (const line of createInterface({ input: process.stdin })) void answer(JSON.parse(line) as Line);
process.exit(0);
