// What stands around every place: navigation, messages, the first screen.

import type { ComponentChildren } from "preact";
import type { SyncError } from "cardferry";
import { account, say, start, toast } from "./ferry.ts";
import { Film } from "./card/Film.tsx";
import { update, waitingWorker } from "./install.ts";
import { href, route } from "./router.ts";
import { texts } from "./texts.ts";
import { welcomed } from "./welcome.ts";
import { Icon, type IconName } from "./ui/icons.tsx";
import { ErrorNotice, Notice } from "./ui/parts.tsx";
import { packing } from "./views/Backups.tsx";

const PLACES: readonly (readonly [place: string, rest: readonly string[], icon: IconName, label: string])[] = [
  ["", [], "decks", texts.nav.decks],
  ["browse", [], "browse", texts.nav.browse],
  ["note", ["new"], "plus", texts.nav.add],
  ["stats", [], "stats", texts.nav.stats],
  ["settings", [], "settings", texts.nav.settings],
];

const BARE = new Set(["sign-in", "sign-up", "choose"]);

/** Places that fill the window, without navigation; the first page is one. */
function isBare(place: string): boolean {
  return BARE.has(place) || (place === "" && !account.value && !welcomed.value);
}

function isHere(place: string, rest: readonly string[]): boolean {
  const r = route.value;
  return r.place === place && (rest.length === 0 || rest[0] === r.rest[0]);
}

/** The frame of the app. */
export function Shell(p: { children: ComponentChildren }) {
  const { place } = route.value;
  if (place === "study") {
    return (
      <>
        <main id="main" tabIndex={-1}>{p.children}</main>
        <Toast />
        <Film />
      </>
    );
  }
  return (
    <div class={`shell ${isBare(place) ? "bare" : ""}`}>
      <a class="skip" href="#main" onClick={skip}>{texts.skip}</a>
      <nav class="nav" aria-label={texts.nav.label}>
        <div class="brand"><img src="icon.svg" alt="" />{texts.app}</div>
        {PLACES.map(([to, rest, icon, label]) => (
          <a key={to} href={href(to, rest)} aria-current={isHere(to, rest) ? "page" : undefined}>
            <Icon name={icon} />
            <span>{label}</span>
          </a>
        ))}
      </nav>
      <main id="main" class="main" tabIndex={-1}>
        {waitingWorker.value && !packing.value && <Update />}
        {p.children}
      </main>
      <Toast />
      <Film />
    </div>
  );
}

function skip(e: Event): void {
  e.preventDefault(); // the address after # is a place
  document.getElementById("main")?.focus();
}

function Toast() {
  const { text, undo } = toast.value;
  return (
    <div class={`toast ${undo ? "with-undo" : ""}`} role="status" aria-live="polite">
      {text}
      {undo && <button type="button" onClick={() => { say(""); undo(); }}>{texts.common.undo}</button>}
    </div>
  );
}

function Update() {
  return (
    <div class="section-first">
      <Notice icon="info">
        <div class="row">
          <p class="grow">{texts.settings.update}</p>
          <button type="button" class="button" onClick={update}>{texts.settings.updateNow}</button>
        </div>
      </Notice>
    </div>
  );
}

/** Shown until the profile is open. */
export function Opening(p: { error: SyncError | null }) {
  if (!p.error) return <main class="opening" aria-busy="true"><span class="sr">{texts.opening.slow}</span></main>;
  return (
    <main class="main">
      <div class="stack">
        <h1>{texts.opening.title}</h1>
        <ErrorNotice error={p.error}>
          <button type="button" class="button" onClick={() => void start()}>{texts.common.again}</button>
          {p.error.kind === "damaged_file" && (
            <button type="button" class="button" onClick={() => void start(true)}>{texts.opening.fetch}</button>
          )}
        </ErrorNotice>
        {!isSecureContext && <p>{texts.opening.insecure}</p>}
      </div>
    </main>
  );
}
