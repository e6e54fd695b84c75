import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncError } from "../src/errors.ts";
import type { MediaReport } from "../src/mediaprotocol.ts";
import type { Counts, SyncReport } from "../src/protocol.ts";
import { afterSync, together } from "../src/synced.ts";

const none: Counts = { notes: 0, cards: 0, revlog: 0, decks: 0, notetypes: 0, deck_configs: 0, tags: 0, config: 0, graves: 0 };
const collection: SyncReport = {
  required: "none", sent: none, received: none, round_trips: 3, new_endpoint: "https://a.example/", message: "hello", media: null,
};
const media: MediaReport = {
  held: 0, downloaded: 2, uploaded: 1, deleted_local: 0, deleted_remote: 0, set_aside: [], round_trips: 4, new_endpoint: "",
};

test("the report of both parts counts the requests of both", () => {
  assert.deepEqual(together(collection, media), { ...collection, media, round_trips: 7 });
  assert.equal(together(collection, { ...media, new_endpoint: "https://b.example/" }).new_endpoint, "https://b.example/");
});

test("a failed media sync tells what the collection's sync has done", () => {
  const failed = new SyncError("auth", "refused", { hint: "Log in.", details: { status: 403 } });
  const e = afterSync(collection, failed, false);
  assert.deepEqual([e.kind, e.message, e.hint, e.changed], ["auth", "refused", "Log in.", false]);
  assert.deepEqual(e.details, { ...collection, status: 403 });
  assert.equal(afterSync({ ...collection, received: { ...none, notes: 1 } }, failed, false).changed, true);
  assert.equal(afterSync({ ...collection, bytes: 1 }, failed, true).changed, true);
});
