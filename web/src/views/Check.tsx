// Check media: files that no note uses, and names that no file has.

import { useState } from "preact/hooks";
import type { MediaCheckReport, SyncError } from "cardferry";
import { complain, ferry, say, toError } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { useLoad } from "../ui/load.ts";
import { Confirm, ErrorNotice, Head } from "../ui/parts.tsx";

const MOST = 200; // names shown

/** Checks; a media sync that runs is waited for, unless nobody waits for the answer. */
async function check(stale: AbortSignal): Promise<MediaCheckReport> {
  for (;;) {
    try {
      return await ferry().media.check();
    } catch (e) {
      if (toError(e).kind !== "busy" || stale.aborted) throw e;
      await new Promise((r) => setTimeout(r, PAUSE));
    }
  }
}

const PAUSE = 1000; // milliseconds

/** The place of the check. */
export function CheckView() {
  const t = texts.check;
  const [again, setAgain] = useState(0);
  const [ask, setAsk] = useState(false);
  const [failed, setFailed] = useState<SyncError | null>(null);
  const found = useLoad((stale) => check(stale).catch((e: unknown) => void setFailed(toError(e))), [again]);
  const retry = (): void => { setFailed(null); setAgain(again + 1); };
  const apply = (): void => {
    setAsk(false);
    ferry().media.check({ apply: true }).then((r) => { say(t.applied(r.trashed)); setAgain(again + 1); }, complain);
  };
  return (
    <>
      <Head title={t.title} back={href("settings")} line={found || failed ? undefined : t.working} />
      {failed && <ErrorNotice error={failed}><button type="button" class="button" onClick={retry}>{texts.common.again}</button></ErrorNotice>}
      {found && <Result found={found} onApply={() => setAsk(true)} />}
      {ask && found && <Confirm title={t.apply} text={t.applyAsk(found.unused.length)} action={t.apply} danger onYes={apply} onNo={() => setAsk(false)} />}
    </>
  );
}

function Result(p: { found: MediaCheckReport; onApply: () => void }) {
  const t = texts.check;
  return (
    <>
      <Names title={t.missing} names={p.found.missing} none={t.noMissing} />
      {p.found.template_missing.length > 0 && <Names title={t.template} names={p.found.template_missing.map((m) => `${m.name} (${m.notetype}, ${m.template})`)} none="" />}
      <Names title={t.unused} names={p.found.unused} none={t.noUnused} />
      {p.found.unused.length > 0 && <p class="section"><button type="button" class="button danger" onClick={p.onApply}>{t.apply}</button></p>}
    </>
  );
}

function Names(p: { title: string; names: readonly string[]; none: string }) {
  return (
    <section class="section">
      <h2>{p.title}{p.names.length > 0 && ` (${texts.whole(p.names.length)})`}</h2>
      {p.names.length === 0 ? <p class="muted">{p.none}</p> : <ul class="surface pad bullets mono">{p.names.slice(0, MOST).map((n) => <li key={n}>{n}</li>)}</ul>}
    </section>
  );
}
