// The worker: receives the calls of one page and runs them on a session.

import { SyncError, toFailure } from "./errors.ts";
import type { CallName, ToPage, ToWorker } from "./protocol.ts";
import { Session } from "./session.ts";

const scope = globalThis as unknown as {
  postMessage(message: ToPage): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};
const running = new Map<number, AbortController>();
let session: Session | undefined;

const post = (message: ToPage): void => scope.postMessage(message);

scope.onmessage = ({ data }) => {
  if (data.type === "cancel") running.get(data.id)?.abort();
  else void answer(data);
};

type CallMessage = Extract<ToWorker, { type: "call" }>;

async function answer(call: CallMessage): Promise<void> {
  const controller = new AbortController();
  running.set(call.id, controller);
  try {
    post({ type: "result", id: call.id, result: await run(call, controller.signal) });
  } catch (e) {
    post({ type: "error", id: call.id, error: toFailure(e) });
  } finally {
    running.delete(call.id);
  }
}

async function run(call: CallMessage, signal: AbortSignal) {
  if (call.name === "open" && !session) {
    session = await Session.open(call.params, post);
    return null;
  }
  if (!session) throw new SyncError("closed", "the profile is closed");
  if (call.name === "close") {
    for (const [id, controller] of running) if (id !== call.id) controller.abort();
  }
  const result = await session.run<CallName>(call.name, call.params, signal);
  if (call.name === "close") session = undefined;
  return result;
}
