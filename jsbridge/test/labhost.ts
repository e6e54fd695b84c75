// A host for tests without a guest: each line of standard input calls one import of a Lab, so that contract suites
// written in Go run on the host modules as a guest reaches them.
//
//	{"name":"media_stat","args":[{"in":"YS5wbmc="},{"out":16}]}     {"result":"0","out":["…"]}
//
// An argument is a number (i32), a text with digits (i64), or memory in base64: `in` becomes pointer and length, `out`
// a pointer to so many bytes, `cap` pointer and length of so many bytes. An answer has what is in `out` and `cap`
// memory afterwards, and the text of last_error after a negative result.

import { createInterface } from "node:readline";
import { Engine } from "../src/sqlite.ts";
import { Lab } from "./lab.ts";
import { MemoryMedia } from "./mediastore.ts";

type Arg = number | string | { in: string } | { out: number } | { cap: number };

const lab = new Lab(await Engine.memory(), new MemoryMedia());
const imports = { ...lab.sql, ...lab.file, ...lab.media, normalize: lab.normalizeImport } as unknown as Record<
  string,
  (...args: (number | bigint)[]) => number | bigint
>;
/** Where arguments begin; the memory of a lab has room for the largest piece that crosses at once. */
const FIRST = 1024;

function call(name: string, args: readonly Arg[]): object {
  const values: (number | bigint)[] = [];
  const outs: [number, number][] = [];
  let at = FIRST;
  const place = (size: number, withLength: boolean): number => {
    values.push(at);
    if (withLength) values.push(size);
    at += size;
    return at - size;
  };
  for (const a of args) {
    if (typeof a === "number") values.push(a);
    else if (typeof a === "string") values.push(BigInt(a));
    else if ("in" in a) {
      const bytes = Buffer.from(a.in, "base64");
      lab.memory.view(place(bytes.length, true), bytes.length).set(bytes);
    } else if ("out" in a) outs.push([place(a.out, false), a.out]);
    else outs.push([place(a.cap, true), a.cap]);
  }
  const f = imports[name];
  if (!f) throw new Error(`there is no import ${name}`);
  const result = f(...values);
  const out = outs.map(([ptr, size]) => Buffer.from(lab.memory.view(ptr, size)).toString("base64"));
  return { result: String(result), out, error: result < 0 ? lab.lastError() : "" };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, args } = JSON.parse(line) as { name: string; args: Arg[] };
  process.stdout.write(`${JSON.stringify(call(name, args))}\n`);
}
