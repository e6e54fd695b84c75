// Making an account on a server of ours (contract §5).

import { SyncError } from "./errors.ts";
import { below, either, networkError } from "./http.ts";

/** How long a server may take, in milliseconds; hashing a password takes it a moment. */
const PATIENCE = 60_000;

/** Asks the server at endpoint for an account. Errors: see {@link refused}, and those of the network. */
export async function signUp(
  send: typeof fetch,
  endpoint: string,
  who: { user: string; password: string },
  signal: AbortSignal,
): Promise<void> {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: who.user, password: who.password }),
    credentials: "omit",
    cache: "no-store",
    signal: either(signal, AbortSignal.timeout(PATIENCE)),
  } as const;
  const [response, text] = await send(address(endpoint), request)
    .then(async (r) => [r, await r.text()] as const)
    .catch((e: unknown) => {
      throw networkError(e);
    });
  if (!response.ok) throw refused(response.status, reasonIn(text), response.headers.get("retry-after"));
}

function address(endpoint: string): string {
  try {
    return below(endpoint, "api/signup");
  } catch {
    throw new SyncError("invalid_input", `${JSON.stringify(endpoint)} is not the address of a sync server`);
  }
}

function reasonIn(text: string): string {
  try {
    const answer = JSON.parse(text) as { error?: unknown } | null;
    return typeof answer?.error === "string" ? answer.error : "";
  } catch {
    return ""; // not one of our servers
  }
}

/** The error of an answer other than 201; details have `reason`: `taken`, `invalid`, `closed`, `rate_limited` or `unsupported`. */
export function refused(status: number, reason: string, retryAfter: string | null): SyncError {
  switch (status) {
    case 409:
      return new SyncError("invalid_input", reason || "this user name is taken", {
        hint: "Choose another user name, or log in if it is yours.",
        details: { reason: "taken" },
      });
    case 400:
    case 422:
      return new SyncError("invalid_input", reason || "the server does not accept this user name or password", {
        hint: "Choose another user name or a longer password.",
        details: { reason: "invalid" },
      });
    case 403:
      return new SyncError("server_message", reason || "the server makes no new accounts", {
        hint: "Ask whoever runs the server for an account.",
        details: { reason: "closed" },
      });
    case 429: {
      const seconds = Number(retryAfter ?? "");
      const wait = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
      return new SyncError("network", reason || "too many sign-ups", {
        hint: wait ? `Try again in ${wait} seconds.` : "Try again later.",
        details: { reason: "rate_limited", retry_after: wait ?? null },
      });
    }
    case 404:
    case 405:
      return new SyncError("server_message", "the server offers no sign-up", {
        hint: "Check the address of the server, or ask whoever runs it for an account.",
        details: { reason: "unsupported" },
      });
  }
  return new SyncError("server_error", `the server answered with status ${status}`, { hint: "Try again later." });
}
