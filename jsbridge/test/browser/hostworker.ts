// Runs one check of hostsuite.ts on OPFS. The page ends the worker afterwards, as a killed tab would.

import { compile } from "../../src/modules.ts";
import { Engine } from "../../src/sqlite.ts";
import { checks, kills, runCheck } from "../hostsuite.ts";

/** What the page asks for. */
export interface Job {
  title: string;
  phase: "check" | "before" | "after";
  directory: string;
}

globalThis.onmessage = async ({ data }: MessageEvent<Job>) => {
  const { title, phase, directory } = data;
  const check = phase === "check" ? checks[title] : kills[title]?.[phase];
  let line = `FAIL ${title}: there is no such check`;
  try {
    const engine = await Engine.opfs(compile("sqlite", "/dist/sqlite3.wasm"), directory);
    await engine.reserve();
    if (check) line = await runCheck(title, check, engine);
  } catch (e) {
    line = `FAIL ${title}: ${String(e)}`;
  }
  globalThis.postMessage(line);
};
