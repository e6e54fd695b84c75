// A file that nobody has: what may be the reason, and what to do about each.

import { useState } from "preact/hooks";
import { edit, lookForMedia, mediaCounts, templateLines, type TemplateLine } from "../api.ts";
import { noteTypes, readNote } from "../cards.ts";
import { mediaNames } from "../editor/fieldhtml.ts";
import { complain, say, status, version } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { Icon } from "../ui/icons.tsx";
import { useLoad } from "../ui/load.ts";
import { Confirm, Sheet } from "../ui/parts.tsx";

/** Explains the missing files of a card. */
export function MissingMedia(p: { noteId: number; names: readonly string[]; onClose: () => void }) {
  const t = texts.media;
  const places = useLoad(() => find(p.noteId, p.names), [p.noteId, version.value]);
  const [ask, setAsk] = useState<TemplateLine | null>(null);
  const removeLine = (line: TemplateLine): void => {
    edit({ op: "setTemplate", notetypeId: line.notetypeId, ord: line.ord, [line.side]: line.textWithout })
      .then(() => { say(t.removed); setAsk(null); p.onClose(); }, complain);
  };
  if (ask) return <Confirm title={t.removeLine} text={t.removeLineAsk(ask.name)} action={t.removeLine} danger onYes={() => removeLine(ask)} onNo={() => setAsk(null)} />;
  return (
    <Sheet title={t.title} onClose={p.onClose}>
      <div class="body stack">
        <ul class="bullets mono">{p.names.map((n) => <li key={n}>{n}</li>)}</ul>
        {p.names.some(isLatex) && <section><h3 class="label">{t.latex}</h3><p class="muted">{t.latexMore}</p></section>}
        <section><h3 class="label">{t.notSynced}</h3><p class="muted">{t.notSyncedMore}</p></section>
        {places?.fields.map((field) => (
          <section key={field}>
            <h3 class="label">{t.inNote}</h3>
            <p class="muted">{t.inNoteMore}</p>
            <a class="button" href={href("note", [p.noteId], { field })}><Icon name="edit" />{t.openNote}: {field}</a>
          </section>
        ))}
        {places?.lines.map((line) => (
          <section key={`${line.ord} ${line.side} ${line.line}`}>
            <h3 class="label">{t.inTemplate(line.notetype, line.template)}</h3>
            <p class="muted">{t.inTemplateMore}</p>
            <pre class="mono code">{line.line}</pre>
            <button type="button" class="button danger" onClick={() => setAsk(line)}>{t.removeLine}</button>
          </section>
        ))}
      </div>
    </Sheet>
  );
}

/** Whether a file is a picture that the desktop program makes of LaTeX (study.md §2.6). */
export function isLatex(name: string): boolean {
  return /^latex-[0-9a-f]{40}\.(png|svg)$/.test(name);
}

async function find(noteId: number, names: readonly string[]): Promise<{ fields: string[]; lines: TemplateLine[] }> {
  const note = await readNote(noteId);
  if (!note) return { fields: [], lines: [] };
  const type = (await noteTypes()).find((t) => t.id === note.typeId);
  const fields = note.fields.flatMap((html, i) => (mediaNames(html).some((n) => names.includes(n)) ? [type?.fields[i] ?? ""] : []));
  return { fields, lines: await templateLines(note.typeId, names) };
}

/** Under a field in the editor: the files of it that nobody has, each with a button that takes it out. */
export function MissingInField(p: { names: readonly string[]; onRemove: (name: string) => void }) {
  // Read again when files have come; while they are being listed, nobody knows what is missing.
  const busy = status.value.activity === "syncing";
  const found = useLoad(async () => {
    const states = await Promise.all(p.names.map((n) => lookForMedia(n)));
    return p.names.filter((_, i) => states[i] === "missing");
  }, [p.names.join("/"), mediaCounts().done, busy]);
  const missing = busy ? [] : (found ?? []).filter((name) => p.names.includes(name));
  if (missing.length === 0) return null;
  return (
    <ul class="missing">
      {missing.map((name) => (
        <li key={name} class="media-note bad">
          <Icon name="image" />
          <span class="grow">{texts.note.missing(name)}</span>
          <button type="button" class="button" onClick={() => p.onRemove(name)}>{texts.note.removeImage}<span class="sr"> {name}</span></button>
        </li>
      ))}
    </ul>
  );
}
