// Instantiates either build of the guest under Node.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { reactor, type Unlent } from "../src/guest.ts";
import { GuestMemory } from "../src/memory.ts";
import { IMPORT_MODULE } from "../src/protocol.gen.ts";

/** What wasm_exec.js defines. */
interface Go {
  importObject: WebAssembly.Imports;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** Returns the guest in file: the shipped reactor, or a GOOS=js program whose main blocks. */
export async function guestFile(file: string): Promise<Unlent> {
  const module = await WebAssembly.compile(new Uint8Array(await readFile(file)));
  const forGo = WebAssembly.Module.imports(module).some((i) => i.module === "gojs");
  return forGo ? program(module) : reactor(module, (line) => console.error(line));
}

async function program(module: WebAssembly.Module): Promise<Unlent> {
  const root = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
  await import(pathToFileURL(join(root, "lib", "wasm", "wasm_exec.js")).href);
  const go = new (globalThis as unknown as { Go: new () => Go }).Go();
  const memory = new GuestMemory();
  const lend = async (imports: WebAssembly.ModuleImports): Promise<WebAssembly.Exports> => {
    const instance = await WebAssembly.instantiate(module, { ...go.importObject, [IMPORT_MODULE]: imports });
    memory.attach(instance.exports.mem as WebAssembly.Memory);
    void go.run(instance); // blocks until the process ends; the exports can be called from now on
    return instance.exports;
  };
  return { memory, lend };
}
