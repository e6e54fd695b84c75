// Backups: the copies of what was replaced, with a way back to each, and the whole collection as a file, out and in.

import { computed, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ImportReport, SyncError } from "cardferry";
import { changedHere, complain, ferry, say, status, toError, version } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { useLoad, useOnce } from "../ui/load.ts";
import { Confirm, Empty, ErrorNotice, Head, Notice, Sheet, Switch } from "../ui/parts.tsx";

const t = texts.settings;
const p = texts.packages;

/** What of a package is chosen by people who look for one: some systems know it as an archive only. */
const PACKAGES = ".colpkg,.zip,application/zip,application/octet-stream";

// An export and an import outlive their place: whoever comes back finds them going on, and what became of them.
const exporting = signal(false);
const importing = signal(false);
/** What loading the page again would end, without a word. */
export const packing = computed(() => exporting.value || importing.value);
const failed = signal<SyncError | null>(null);
const report = signal<ImportReport | null>(null);

/** The place. */
export function Backups() {
  const [ask, setAsk] = useState<{ id: string; created: number } | null>(null);
  const list = useLoad(() => ferry().backups.list(), [version.value]);
  const ready = useOnce(list !== undefined || packing.value); // the list waits for the end of that, which is to be seen
  const restore = (id: string): void => {
    setAsk(null);
    ferry().backups.restore(id).then(() => { changedHere(); say(t.restored); }, complain);
  };
  return (
    <>
      <Head title={t.backups} back={href("settings")} line={t.backupsMore} />
      {list?.length === 0 && <Empty icon="undo" title={t.backups} text={t.noBackups} />}
      {list && list.length > 0 && (
        <ul class="surface list">
          {list.map((b) => (
            <li key={b.id} class="item">
              <div class="grow"><span class="label">{texts.date(b.created)}</span><p>{t.backupReasons[b.reason] ?? b.reason} · {texts.bytes(b.bytes)}</p></div>
              <button type="button" class="button" onClick={() => setAsk(b)}>{t.restore}<span class="sr"> {texts.date(b.created)}</span></button>
            </li>
          ))}
        </ul>
      )}
      {ready && <Export />}
      {ready && <Import />}
      {ask && <Confirm title={t.restore} text={t.restoreAsk(texts.date(ask.created))} action={t.restore} onYes={() => restore(ask.id)} onNo={() => setAsk(null)} />}
    </>
  );
}

function Export() {
  const [media, setMedia] = useState(true);
  const busy = exporting.value;
  const save = async (): Promise<void> => {
    if (busy) return;
    exporting.value = true;
    try {
      download(await ferry().exportFile({ media }), p.fileName(new Date()));
      say(p.exported);
    } catch (e) {
      complain(e);
    } finally {
      exporting.value = false;
    }
  };
  const { done, total } = status.value.media;
  return (
    <section class="section">
      <h2>{p.export}</h2>
      <p class="muted gap">{p.exportMore}</p>
      <div class="surface list">
        <div class="item-group"><Switch label={p.media} more={done < total ? p.mediaPartly(done, total) : p.mediaMore} on={media} onChange={setMedia} /></div>
        <div class="item"><button type="button" class="button" aria-disabled={busy} onClick={() => void save()}>{busy ? p.exporting : p.exportNow}</button></div>
      </div>
    </section>
  );
}

/** Lets the browser save a file. */
function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads on after the click
}

function Import() {
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const busy = importing.value;
  useEffect(() => () => void (failed.value = null), []); // it was read
  const run = async (chosen: File): Promise<void> => {
    setFile(null);
    failed.value = null;
    importing.value = true;
    try {
      report.value = await ferry().importFile(chosen);
    } catch (e) {
      failed.value = toError(e);
    } finally {
      importing.value = false;
      changedHere();
    }
  };
  const choose = (e: { currentTarget: HTMLInputElement }): void => {
    setFile(e.currentTarget.files?.[0] ?? null);
    e.currentTarget.value = ""; // so that the same file can be chosen again
  };
  return (
    <section class="section">
      <h2>{p.import}</h2>
      <p class="muted gap">{p.importMore}</p>
      {failed.value && <ErrorNotice error={failed.value} text={p.refused[failed.value.kind]} />}
      <input ref={input} type="file" hidden accept={PACKAGES} aria-label={p.choose} onChange={choose} />
      <div class="surface list">
        <div class="item"><button type="button" class="button" aria-disabled={busy} onClick={() => busy || input.current?.click()}>{busy ? p.importing : p.choose}</button></div>
      </div>
      {file && <Confirm title={p.import} text={p.importAsk(file.name)} action={p.importNow} danger onYes={() => void run(file)} onNo={() => setFile(null)} />}
      {report.value && <Imported report={report.value} onClose={() => (report.value = null)} />}
    </section>
  );
}

/** Says what an import has brought, and what comes next. */
function Imported({ report, onClose }: { report: ImportReport; onClose: () => void }) {
  return (
    <Sheet title={p.imported} onClose={onClose}>
      <div class="body stack">
        <p>{p.importedMore(report.media)}</p>
        {report.set_aside.length > 0 && <Notice kind="warn">{p.leftOut(report.set_aside.map((f) => f.name))}</Notice>}
        <button type="button" class="button primary" onClick={onClose}>{texts.common.close}</button>
      </div>
    </Sheet>
  );
}
