// What is published is described where an editor shows it.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const types = fileURLToPath(new URL("../types/", import.meta.url)); // from dist/test

test("every export has a comment", { skip: !existsSync(types) && "the package is not built: run make" }, () => {
  const exported = /^export (declare|interface|type \w|class|const|function)/;
  /** Methods and getters of classes (a setter has the comment of its getter); private ones have no name here. */
  const method = /^ {4}(static |get |readonly )*\w+(<.*>)?\(/;
  const silent: string[] = [];
  let found = 0;
  for (const name of readdirSync(types)) {
    let open = false;
    let before = "";
    for (const line of readFileSync(types + name, "utf8").split("\n")) {
      if (/^export declare (abstract )?class/.test(line)) open = true;
      if (line.startsWith("}")) open = false;
      if (exported.test(line) || (open && method.test(line) && !/^ {4}(private )?constructor/.test(line))) {
        found++;
        if (!/\*\/\s*$/.test(before)) silent.push(`${name}: ${line.trim()}`);
      }
      before = line;
    }
  }
  assert.ok(found > 100, `only ${found} exports were found`);
  assert.deepEqual(silent, []);
});
