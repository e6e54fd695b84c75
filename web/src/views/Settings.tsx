// Settings. The first three switches are those of syncing by itself; each place inside has an address of its own.

import { useState } from "preact/hooks";
import type { Settings, StorageReport } from "cardferry";
import { account, complain, ferry, HOME, say, status, version } from "../ferry.ts";
import { install, installPrompt } from "../install.ts";
import { go, href } from "../router.ts";
import { act } from "../syncing.ts";
import { texts } from "../texts.ts";
import { theme } from "../theme.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { useLoad } from "../ui/load.ts";
import { Choices, Head, Notice, Sheet, Switch } from "../ui/parts.tsx";
import { Backups } from "./Backups.tsx";
import { Devices } from "./Devices.tsx";

const t = texts.settings;

/** The settings, or one of the places inside them. */
export function SettingsView(p: { section: string }) {
  switch (p.section) {
    case "backups":
      return <Backups />;
    case "devices":
      return <Devices />;
    case "diagnostics":
      return <Diagnostics />;
    case "computer":
      return <Computer />;
    case "missing":
      return <NotYet />;
  }
  return <All />;
}

function All() {
  const [changes, setChanges] = useState(0);
  const again = (): void => setChanges(changes + 1);
  const loaded = useLoad(async () => ({ settings: await ferry().settings.get(), storage: await ferry().storage() }), [changes, version.value]);
  return (
    <>
      <Head title={t.title} />
      {loaded && (
        <>
          <AutoSync s={loaded.settings} onChange={again} />
          <Account />
          <Look />
          <Storage s={loaded.storage} onChange={again} />
          <About />
        </>
      )}
    </>
  );
}

function AutoSync({ s, onChange }: { s: Settings; onChange: () => void }) {
  const set = (part: Partial<Settings>): void => void ferry().settings.set(part).then(onChange, complain);
  return (
    <section>
      <h2 class="gap">{t.syncing}</h2>
      <div class="surface list">
        <div class="item-group"><Switch label={t.autoSync} more={t.autoSyncMore} on={s.autoSync} onChange={(autoSync) => set({ autoSync })} /></div>
        <div class="item-group"><Switch label={t.syncMedia} more={t.syncMediaMore} on={s.syncMedia} onChange={(syncMedia) => set({ syncMedia })} /></div>
        <div class="item-group"><Switch label={t.mediaInterval} more={t.mediaIntervalMore} on={s.mediaInterval > 0} onChange={(on) => set({ mediaInterval: on ? 15 : 0 })} /></div>
        <div class="item-group"><Switch label={t.live} more={t.liveMore} on={s.live} onChange={(live) => set({ live })} /></div>
        <Choices label={t.metered} more={t.meteredMore} value={s.metered} choices={t.meteredChoices} onChange={(metered) => set({ metered })} />
      </div>
    </section>
  );
}

function Account() {
  const [ask, setAsk] = useState(false);
  const a = account.value;
  return (
    <section class="section">
      <h2>{t.account}</h2>
      <div class="surface list">
        <div class="item">
          <div class="grow"><span class="label">{a ? t.signedIn(a.user) : t.signedOut}</span>{a && <p>{a.endpoint}</p>}</div>
          {a ? <button type="button" class="button" onClick={() => setAsk(true)}>{t.signOut}</button> : <a class="button primary" href={href("sign-in")}>{texts.sign.in}</a>}
        </div>
        {a && <LinkItem to={href("sync")} icon="sync" label={texts.sync.title} />}
        {a && <LinkItem to={href("settings", ["devices"])} icon="keyboard" label={t.devices} />}
        {a && <LinkItem to={href("sign-in")} icon="cloud" label={t.changeServer} />}
        <LinkItem to={href("settings", ["computer"])} icon="device" label={t.computer} />
      </div>
      {ask && <SignOut onClose={() => setAsk(false)} />}
    </section>
  );
}

function LinkItem(p: { to: string; icon: IconName; label: string; more?: string }) {
  return (
    <a class="item" href={p.to}>
      <Icon name={p.icon} />
      <span class="grow"><span>{p.label}</span>{p.more && <p>{p.more}</p>}</span>
      <Icon name="chevron" class="faint" />
    </a>
  );
}

/** Asks before signing out, about what has not been sent above all. */
function SignOut(p: { onClose: () => void }) {
  const { pending } = status.value;
  const out = (): void => void ferry().logout().then(() => { p.onClose(); go("#/"); }, complain);
  return (
    <Sheet title={t.signOut} onClose={p.onClose}>
      <div class="body stack">
        <p>{t.signOutAsk}</p>
        {pending > 0 && <Notice kind="warn">{t.signOutPending(pending)}</Notice>}
        <div class="row">
          <button type="button" class="button grow" onClick={p.onClose}>{texts.common.cancel}</button>
          {pending > 0 && <button type="button" class="button grow" onClick={() => void act().then(p.onClose)}>{t.signOutSync}</button>}
          <button type="button" class="button danger grow" onClick={out}>{t.signOut}</button>
        </div>
      </div>
    </Sheet>
  );
}

function Look() {
  return (
    <section class="section">
      <h2>{t.look}</h2>
      <div class="surface"><Choices label={t.theme} value={theme.value} choices={t.themes} onChange={(v) => (theme.value = v)} /></div>
    </section>
  );
}

function Storage({ s, onChange }: { s: StorageReport; onChange: () => void }) {
  const ask = async (): Promise<void> => {
    if (!(await ferry().storage.request())) say(t.persistRefused);
    onChange();
  };
  return (
    <section class="section">
      <h2>{t.storage}</h2>
      <div class="surface list">
        <div class="item">
          <div class="grow"><span class="label">{t.used(texts.bytes(s.usage), texts.bytes(s.quota))}</span><p>{s.persisted ? t.persisted : t.notPersisted}</p></div>
        </div>
        {!s.persisted && <div class="item"><button type="button" class="button" onClick={() => void ask().catch(complain)}>{t.persist}</button></div>}
        {installPrompt.value && (
          <div class="item">
            <div class="grow"><span class="label">{t.install}</span><p>{t.installMore}</p></div>
            <button type="button" class="button primary" onClick={install}>{t.install}</button>
          </div>
        )}
        <LinkItem to={href("settings", ["backups"])} icon="undo" label={t.backups} more={t.backupsMore} />
        <LinkItem to={href("check")} icon="image" label={t.checkMedia} more={t.checkMediaMore} />
      </div>
    </section>
  );
}

function About() {
  return (
    <section class="section">
      <h2>{t.about}</h2>
      <div class="surface list">
        <LinkItem to={href("settings", ["missing"])} icon="info" label={t.missing} />
        <LinkItem to={href("settings", ["diagnostics"])} icon="browse" label={t.diagnostics} more={t.diagnosticsMore} />
      </div>
      <p class="small muted under">{t.notAnki}</p>
    </section>
  );
}

function Diagnostics() {
  const text = useLoad(() => ferry().diagnostics(), []);
  const copy = (): void => void navigator.clipboard.writeText(text ?? "").then(() => say(t.copied), complain);
  return (
    <>
      <Head title={t.diagnostics} back={href("settings")} line={t.diagnosticsMore} />
      <pre class="surface pad mono code" tabIndex={0}>{text}</pre>
      <p class="section"><button type="button" class="button primary" onClick={copy}>{t.copy}</button></p>
    </>
  );
}

/** How a computer gets the same cards. */
function Computer() {
  const address = account.value?.endpoint ?? HOME;
  const copy = (): void => void navigator.clipboard.writeText(address).then(() => say(t.copied), complain);
  return (
    <>
      <Head title={t.computer} back={href("settings")} />
      <div class="stack">
        <ol class="steps">{t.computerSteps.map((s) => <li key={s}>{s}</li>)}</ol>
        <div class="surface pad row"><code class="mono grow">{address}</code><button type="button" class="button" onClick={copy}>{t.copy}</button></div>
      </div>
    </>
  );
}

function NotYet() {
  return (
    <>
      <Head title={t.missing} back={href("settings")} line={t.missingMore} />
      <ul class="surface pad bullets spaced">{t.missingList.map((m) => <li key={m}>{m}</li>)}</ul>
    </>
  );
}
