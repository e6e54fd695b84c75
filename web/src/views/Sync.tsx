// The sync sheet: what waits here, what is known of the server, pictures and sounds, the last syncs, what went wrong.

import type { Backup } from "cardferry";
import { account, ferry, status, syncState, version } from "../ferry.ts";
import { mediaCounts, num } from "../api.ts";
import { href } from "../router.ts";
import { act, history } from "../syncing.ts";
import { texts } from "../texts.ts";
import { Icon } from "../ui/icons.tsx";
import { useLoad, useOnce } from "../ui/load.ts";
import { ErrorNotice, Head, Notice } from "../ui/parts.tsx";
import { Progress } from "../ui/Progress.tsx";

/** The place of syncing. */
export function SyncView() {
  const s = status.value;
  useLoad(() => (account.value && syncState.value !== "syncing" ? ferry().refresh().then(() => null, () => null) : Promise.resolve(null)), [account.value?.user]);
  const backups = useLoad(() => ferry().backups.list(), [version.value]);
  const ready = useOnce(backups !== undefined || syncState.value === "syncing"); // the list waits for the end of a sync, which is to be seen and stopped
  return (
    <>
      <Head title={texts.sync.title} back="#/" line={account.value ? texts.sync.last(s.lastSync) : undefined} />
      {ready && <div class="stack">
        {!account.value && (
          <Notice icon="cloud">
            <p>{texts.sync.signIn}</p>
            <div class="row"><a class="button primary" href={href("sign-in")}>{texts.sign.in}</a></div>
          </Notice>
        )}
        {account.value && <Action />}
        {s.error && s.activity !== "syncing" && account.value && <ErrorNotice error={s.error} />}
        {account.value && <State />}
        <Previous list={backups ?? []} />
        <Past />
      </div>}
    </>
  );
}

function Action() {
  const state = syncState.value;
  if (state === "syncing") return <Progress />;
  if (state === "full") {
    return (
      <Notice kind="warn" icon="choose">
        <p>{texts.error("one_way_needed").what} {texts.error("one_way_needed").safe}</p>
        <div class="row"><a class="button primary" href={href("choose")}>{texts.sync.choose}</a></div>
      </Notice>
    );
  }
  return <button type="button" class="button primary big wide" onClick={() => void act()}><Icon name="sync" />{texts.sync.now}</button>;
}

function State() {
  const s = status.value;
  const media = mediaCounts();
  // What is counted are cards and the like; a changed setting is no more than that. With either, nobody has asked the server.
  const changed = useLoad(async () => num((await ferry().query("SELECT mod > ls AS changed FROM col"))[0], "changed") > 0, [s.pending, s.lastSync, s.required]);
  const here = s.required === "normal" && changed === true;
  const rows: [label: string, text: string][] = [
    [texts.sync.here, here && s.pending === 0 ? texts.sync.waitingSettings : texts.sync.waiting(s.pending)],
    [texts.sync.server, here ? texts.sync.notAsked : texts.sync.required[s.required]],
  ];
  rows.push([texts.sync.media, media.done < media.total ? texts.sync.mediaOf(media.done, media.total) : media.total > 0 ? texts.sync.mediaAll : texts.sync.mediaNone]);
  return (
    <section class="surface list">
      {rows.map(([label, text]) => (
        <div key={label} class="item"><div class="grow"><span class="label">{label}</span><p>{text}</p></div></div>
      ))}
      <div class="item"><div class="grow"><span class="label">{account.value?.user}</span><p>{account.value?.endpoint}</p></div></div>
    </section>
  );
}

const KEPT = 30 * 86_400_000; // as long as backups are kept

/** The way back after one side has replaced the other, as long as there is one. */
function Previous({ list }: { list: readonly Backup[] }) {
  const last = list.find((b) => Date.now() - b.created < KEPT);
  if (!last) return null;
  return (
    <section class="surface list">
      <a class="item" href={href("settings", ["backups"])}>
        <Icon name="undo" />
        <span class="grow"><span class="label">{texts.choice.restore}</span><p>{texts.settings.backupReasons[last.reason] ?? last.reason}, {texts.since(last.created)}</p></span>
      </a>
    </section>
  );
}

function Past() {
  return (
    <section>
      <h2 class="gap">{texts.sync.history}</h2>
      {history.value.length === 0 ? (
        <p class="muted">{texts.sync.noHistory}</p>
      ) : (
        <ul class="surface list log">
          {history.value.map((h) => (
            <li key={h.at}><span>{h.text}</span><time class="muted small" dateTime={new Date(h.at).toISOString()}>{texts.since(h.at)}</time></li>
          ))}
        </ul>
      )}
    </section>
  );
}
