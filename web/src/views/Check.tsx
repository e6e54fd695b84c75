// Check media: files that no note uses, and names that no file has.

import { useState } from "preact/hooks";
import type { MediaCheckReport } from "cardferry";
import { complain, ferry, say } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { useLoad } from "../ui/load.ts";
import { Confirm, Head } from "../ui/parts.tsx";

const MOST = 200; // names shown

/** The place of the check. */
export function CheckView() {
  const t = texts.check;
  const [again, setAgain] = useState(0);
  const [ask, setAsk] = useState(false);
  const found = useLoad(() => ferry().media.check(), [again]);
  const apply = (): void => {
    setAsk(false);
    ferry().media.check({ apply: true }).then((r) => { say(t.applied(r.trashed)); setAgain(again + 1); }, complain);
  };
  return (
    <>
      <Head title={t.title} back={href("settings")} line={found ? undefined : t.working} />
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
