import assert from "node:assert/strict";
import { test } from "node:test";
import { Connections } from "../src/resent.ts";

/** Timings in the order of the requests: when a connection for it began and was there, 0 as it was sent, and when the answer came. */
type Timings = [method: string, connectStart: number, connectEnd: number, responseStart: number][];

/** Syncs as a worker of a browser that gives such timings, and returns the methods that are said to have come twice. */
async function sync(timings: Timings): Promise<string[]> {
  const entries: object[] = [];
  const globals = globalThis as { WorkerGlobalScope?: unknown; PerformanceObserver: unknown };
  const { PerformanceObserver } = globals;
  Object.assign(globals, {
    WorkerGlobalScope: class {},
    PerformanceObserver: class {
      observe(): void {}
      disconnect(): void {}
      takeRecords(): object[] { return entries.splice(0); }
    },
  });
  try {
    const connections = new Connections();
    const twice: string[] = [];
    for (const [i, [method, connectStart, connectEnd, responseStart]] of timings.entries()) {
      const at = 1000 * (i + 1), name = `https://example.org/sync/${method}`;
      connections.begin(name);
      connections.end(name);
      entries.push({
        name, nextHopProtocol: "http/1.1", fetchStart: at, connectStart: at + connectStart, connectEnd: at + connectEnd,
        requestStart: at + connectEnd, responseStart: at + responseStart, responseEnd: at + responseStart,
      });
      if (await connections.resent(name, {})) twice.push(method);
    }
    return twice;
  } finally {
    globals.PerformanceObserver = PerformanceObserver;
    delete globals.WorkerGlobalScope;
  }
}

test("a request over a connection of its own, after one was used again, came twice", async () => {
  assert.deepEqual(await sync([["meta", 0.2, 0.5, 9.1], ["start", 0, 0, 8.3], ["applyChanges", 0.3, 0.6, 9.2]]), ["applyChanges"]);
  assert.deepEqual(await sync([["meta", 1, 21, 40], ["start", 0, 0, 20], ["applyChanges", 0, 0, 22], ["chunk", 2, 23, 44]]), ["chunk"]);
});

test("a clock in ms does not make connections that are opened for each request look used again", async () => {
  assert.deepEqual(await sync([["meta", 12, 12, 19], ["hostKey", 1, 1, 9], ["start", 0, 0, 36], ["applyChanges", 2, 3, 25], ["chunk", 0, 0, 8]]), []);
  // Far away: opening takes long, looking up a name does not.
  assert.deepEqual(await sync([["meta", 1, 21, 40], ["start", 0, 20, 41], ["applyChanges", 1, 22, 43], ["chunk", 1, 20, 41]]), []);
});
