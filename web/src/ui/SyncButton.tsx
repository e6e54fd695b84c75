// The sync button: an icon, a word, and colour only third. It says what the button will do.

import { status, syncState, type SyncState } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { act } from "../syncing.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Bar, percent, stage } from "./Progress.tsx";

const LOOK: Record<SyncState, { icon: IconName; colour: string }> = {
  none: { icon: "check", colour: "" },
  normal: { icon: "sync", colour: "blue" },
  full: { icon: "choose", colour: "red" },
  syncing: { icon: "sync", colour: "blue" },
  offline: { icon: "cloudOff", colour: "" },
  attention: { icon: "alert", colour: "amber" },
  signedOut: { icon: "cloud", colour: "" },
};

/** The words on the button. */
export function stateText(): string {
  const state = syncState.value;
  const pending = status.value.pending;
  switch (state) {
    case "normal":
    case "offline":
      return texts.sync.state[state](pending);
    case "syncing":
      return texts.sync.state.syncing(percent());
    default:
      return texts.sync.state[state]();
  }
}

/** The button and the time of the last sync. A tap does the obvious thing; where there is a choice, it opens the place for it. */
export function SyncButton() {
  const state = syncState.value;
  const { icon, colour } = LOOK[state];
  const places: Partial<Record<SyncState, string>> = {
    full: href("choose"), attention: href("sync"), offline: href("sync"), syncing: href("sync"), signedOut: href("sign-in"),
  };
  const inside = (
    <>
      <Icon name={icon} class={state === "syncing" ? "turning" : ""} />
      <span>{stateText()}</span>
    </>
  );
  const to = places[state];
  return (
    <div class="sync-box">
      {to ? (
        <a class={`sync ${colour}`} href={to}>{inside}</a>
      ) : (
        <button type="button" class={`sync ${colour}`} onClick={() => void act()}>{inside}</button>
      )}
      <p class="sync-line">{state === "syncing" ? <>{stage()}<Bar thin /></> : state !== "signedOut" && <a href={href("sync")}>{texts.sync.last(status.value.lastSync)}</a>}</p>
      <span class="sr" role="status" aria-live="polite">{state === "syncing" ? texts.sync.state.syncing(null) : stateText()}</span>
    </div>
  );
}
