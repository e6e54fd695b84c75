// The worker of a page: receives its calls and hands them to the leader of the tabs, which it may be itself.

import { SyncError, toFailure } from "./errors.ts";
import { failingAlike, HANDLE_FAILURES, ROOT_FAILURES, sparingly } from "./handles.ts";
import { Modules } from "./modules.ts";
import type { ToPage, ToWorker } from "./protocol.ts";
import type { Presence } from "./presence.ts";
import { Tab } from "./tabs.ts";
import { WorkerTransport } from "./transport.ts";

const scope = globalThis as unknown as {
  postMessage(message: ToPage): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  FileSystemFileHandle?: { prototype: { createSyncAccessHandle?(): Promise<unknown> } };
  FileSystemSyncAccessHandle?: { prototype: Parameters<typeof sparingly>[0] };
  StorageManager?: { prototype: { getDirectory?(): Promise<unknown> } };
};
if (scope.FileSystemSyncAccessHandle) sparingly(scope.FileSystemSyncAccessHandle.prototype);
failingAlike(scope.FileSystemFileHandle?.prototype, "createSyncAccessHandle", HANDLE_FAILURES);
failingAlike(scope.StorageManager?.prototype, "getDirectory", ROOT_FAILURES);
let tab: Promise<Tab> | undefined;
let presence: Presence | undefined;
const transport = new WorkerTransport((message) => scope.postMessage(message));

const post = (message: ToPage): void => scope.postMessage(message);
const modules = new Modules(post);

scope.onmessage = ({ data }) => {
  if (data.type === "cancel") withTab((t) => t.cancel(data.id));
  else if (data.type === "presence") present(data.presence);
  else if (data.type === "call") void answer(data);
  else transport.receive(data);
};

function present(now: Presence | undefined): void {
  presence = now;
  if (now) withTab((t) => t.presence(now));
}

/** Does something with the tab, if there is one: why it could not be made is the answer to the call of open. */
function withTab(f: (t: Tab) => void): void {
  tab?.then(f, () => {});
}

type CallMessage = Extract<ToWorker, { type: "call" }>;

async function answer(call: CallMessage): Promise<void> {
  try {
    post({ type: "result", id: call.id, result: (await run(call)) as never });
  } catch (e) {
    post({ type: "error", id: call.id, error: toFailure(e) });
  }
}

async function run({ id, name, params, again }: CallMessage): Promise<unknown> {
  if (name === "open" && !tab) {
    tab = Tab.join(params, { post, transport: transport.fetch, modules });
    present(presence);
  }
  if (!tab) throw new SyncError("closed", "the profile is closed");
  if (name !== "close") return (await tab).call(id, name, params, again ?? false);
  const closing = tab;
  tab = undefined;
  await (await closing).close();
  return null;
}
