import assert from "node:assert/strict";
import { test } from "node:test";
import { rangeOf, respond } from "../src/sw.ts";

test("ranges are read as RFC 9110 says", () => {
  for (const [header, size, want] of [
    [null, 10, undefined],
    ["bytes=0-", 10, [0, 9]],
    ["bytes=0-0", 10, [0, 0]],
    ["bytes=3-5", 10, [3, 5]],
    ["bytes=3-99", 10, [3, 9]],
    ["bytes=9-", 10, [9, 9]],
    ["bytes=-3", 10, [7, 9]],
    ["bytes=-99", 10, [0, 9]],
    ["bytes=-0", 10, "unsatisfiable"],
    ["bytes=10-", 10, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=-1", 0, "unsatisfiable"],
    ["bytes=5-3", 10, undefined],
    ["bytes=-", 10, undefined],
    ["bytes=1-2,4-5", 10, undefined],
    ["lines=1-2", 10, undefined],
  ] as const) {
    const got = rangeOf(header, size);
    assert.deepEqual(typeof got === "object" ? [got.first, got.last] : got, want, `${header} of ${size}`);
  }
});

test("answers have types, ranges and no scripts", async () => {
  const content = new Blob(["0123456789"]);
  const ask = (name: string, headers: HeadersInit = {}, method = "GET") => respond(name, content, { method, headers: new Headers(headers) });
  const all = ask("a.MP3");
  assert.equal(all.status, 200);
  assert.equal(all.headers.get("content-type"), "audio/mpeg");
  assert.equal(all.headers.get("accept-ranges"), "bytes");
  assert.equal(all.headers.get("x-content-type-options"), "nosniff");
  assert.equal(all.headers.get("content-security-policy"), null);
  assert.equal(await all.text(), "0123456789");
  const part = ask("a.mp3", { range: "bytes=2-4" });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get("content-range"), "bytes 2-4/10");
  assert.equal(part.headers.get("content-length"), "3");
  assert.equal(await part.text(), "234");
  assert.equal(ask("a.mp3", { range: "bytes=2-4", "if-range": '"1"' }).status, 200); // RFC 9110 §13.1.5
  const none = ask("a.mp3", { range: "bytes=20-" });
  assert.equal(none.status, 416);
  assert.equal(none.headers.get("content-range"), "bytes */10");
  const head = ask("a.png", { range: "bytes=2-4" }, "HEAD"); // ranges are for GET (RFC 9110 §14.2)
  assert.equal(head.headers.get("content-length"), "10");
  assert.equal(await head.text(), "");
  for (const name of ["a.svg", "a.html", "a.xml", "a.js", "a.pdf", "a", "html", "constructor", "__proto__"]) {
    assert.match(ask(name).headers.get("content-security-policy") ?? "", /^sandbox; script-src 'none'$/, name);
  }
});
