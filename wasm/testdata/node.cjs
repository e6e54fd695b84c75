// Runs the GOOS=js build of the guest with a host that can do next to nothing (see TestNode).
const [exec, file] = process.argv.slice(2);
require(exec);
const fs = require("node:fs");

const go = new Go();
go.exit = (code) => {
  throw new Error(`exit ${code}`);
};
let guest;
const answers = new Map();
const calls = [];
const bytes = (ptr, len) => new Uint8Array(guest.memory.buffer, ptr >>> 0, len >>> 0);
const text = (ptr, len) => new TextDecoder().decode(bytes(ptr, len));
const host = {
  now: () => BigInt(Date.now()),
  task_done: (task, ptr, len) => answers.set(task, JSON.parse(text(ptr, len))),
  last_error: (ptr, cap) => new TextEncoder().encodeInto("not here", bytes(ptr, cap)).written,
  random: () => {},
  http_start: (call) => calls.push(call),
  http_close: () => {},
  log: () => {},
};
// Whatever else is imported fails with kind internal.
go.importObject.cardferry = new Proxy(host, { get: (h, name) => h[name] ?? (() => (name === "sql_run" || name === "sql_next" || name === "file_size" ? -28n : -28)) });

function send(method, params, task) {
  const b = new TextEncoder().encode(JSON.stringify({ method, params }));
  const ptr = guest.cf_alloc(b.length);
  bytes(ptr, b.length).set(b);
  guest.cf_call(task, ptr, b.length);
}

async function main() {
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(file), go.importObject);
  guest = { ...instance.exports, memory: instance.exports.mem };
  void go.run(instance);
  console.log("abi", guest.cf_abi());
  const at = guest.cf_collate_buffer(4);
  bytes(at, 4).set([...Buffer.from("abBA")]);
  console.log("collate", guest.cf_collate(at, 1, at + 1, 1), guest.cf_collate(at + 1, 1, at + 2, 1));

  send("version", {}, 1);
  console.log("version", ...Object.keys(answers.get(1)), ...Object.keys(answers.get(1).result));
  send("open", { client: "node/1", create: true }, 2);
  console.log("open", ...Object.keys(answers.get(2)), answers.get(2).error.kind);

  send("login", { endpoint: "http://localhost/", user: "u", password: "p", client: "node/1" }, 3);
  if (answers.has(3)) throw new Error("the login did not wait");
  // failed: one packed row of kind (9, timeout) and message ("m").
  const event = [2, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 109];
  const ptr = guest.cf_alloc(event.length);
  bytes(ptr, event.length).set(event);
  guest.cf_event(calls[0], 4, ptr, event.length);
  console.log("network", ...Object.keys(answers.get(3)), answers.get(3).error.kind);

  guest.cf_cancel(99);
  guest.cf_tick(99);
  console.log("unknown task ignored");

  const stderr = fs.writeSync;
  globalThis.fs.writeSync = (fd, buf) => buf.length; // the panic's text
  try {
    guest.cf_call(0, 0, 0);
    console.log("panic returned");
  } catch {
    globalThis.fs.writeSync = stderr;
    process.stdout.write("panic throws\n");
  }
  process.exit(0);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
