import assert from "node:assert/strict";
import { test } from "node:test";
import { networkNow, type Network } from "../src/presence.ts";

function withNavigator<T>(value: object, run: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  try {
    return run();
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete (globalThis as { navigator?: unknown }).navigator;
  }
}

test("the network as the browser describes it", () => {
  const cases: [object, Network][] = [
    [{ onLine: true }, "unmetered"],
    [{ onLine: false }, "offline"],
    [{ onLine: false, connection: { saveData: true } }, "offline"],
    [{ onLine: true, connection: { saveData: true } }, "metered"],
    [{ onLine: true, connection: { saveData: false, type: "wifi" } }, "unmetered"],
    [{ onLine: true, connection: { type: "cellular" } }, "metered"],
    [{ onLine: true, connection: { metered: true } }, "metered"],
  ];
  for (const [navigator, want] of cases) assert.equal(withNavigator(navigator, () => networkNow()), want, JSON.stringify(navigator));
});

test("the application knows better", () => {
  const online = { onLine: true, connection: { saveData: true } };
  for (const said of ["unmetered", "metered", "offline"] as const) {
    assert.equal(withNavigator(online, () => networkNow(() => said)), said);
  }
  assert.equal(withNavigator(online, () => networkNow(() => "5g" as Network)), "metered");
});
