// Adding and editing a note: fields, deck, tags, and a preview made by the same code as the card itself.

import { useEffect, useRef, useState } from "preact/hooks";
import { addNote, edit, preview, setCurrent, type Rendered } from "../api.ts";
import { CardFrame, type FrameHandle } from "../card/Frame.tsx";
import { openLink } from "../card/link.ts";
import { sendMathJax } from "../card/mathjax.ts";
import { CardMedia } from "../card/media.ts";
import type { FromFrame } from "../card/messages.ts";
import { Player } from "../card/player.ts";
import { allTags, deckNames, isDuplicate, lastChoice, noteTypes, readNote, type Note, type NoteType } from "../cards.ts";
import { FieldBox } from "../editor/FieldBox.tsx";
import { clozeNumbers, mediaNames, without } from "../editor/fieldhtml.ts";
import { MissingInField } from "./MissingMedia.tsx";
import { complain, say, toError, version } from "../ferry.ts";
import { back, go, guardLeaving } from "../router.ts";
import { texts } from "../texts.ts";
import { night } from "../theme.ts";
import { done } from "../undo.ts";
import { useLoad } from "../ui/load.ts";
import { Confirm, Empty, Head, IconButton, Notice } from "../ui/parts.tsx";

interface Loaded {
  types: NoteType[];
  decks: { id: number; name: string }[];
  tags: string[];
  note: Note | undefined;
}

/** The place of one note; id "new" adds. */
export function NoteView(p: { id: string; params: URLSearchParams }) {
  const loaded = useLoad(() => load(p.id, p.params), [p.id, p.id === "new" && version.value]);
  const title = p.id === "new" ? texts.note.add : texts.note.edit;
  if (!loaded) return <Head title={title} back="#/" />;
  if (!loaded.note) return <><Head title={title} back="#/" /><Empty icon="info" title={texts.note.gone} text=""><a class="button" href="#/">{texts.study.home}</a></Empty></>;
  return <Editor {...loaded} note={loaded.note} isNew={p.id === "new"} field={p.params.get("field")} />;
}

async function load(id: string, params: URLSearchParams): Promise<Loaded> {
  const [types, decks, tags, last] = await Promise.all([noteTypes(), deckNames(), allTags(), lastChoice()]);
  if (id !== "new") return { types, decks, tags, note: await readNote(Number(id)) };
  const type = types.find((t) => t.id === last.typeId) ?? types[0];
  const wanted = Number(params.get("deck") ?? last.deckId);
  const deck = decks.find((d) => d.id === wanted) ?? decks[0];
  return { types, decks, tags, note: { id: 0, typeId: type?.id ?? 0, deckId: deck?.id ?? 1, fields: type?.fields.map(() => "") ?? [], tags: [] } };
}

type EditorProps = Omit<Loaded, "note"> & { note: Note; isNew: boolean; field: string | null };

function Editor(p: EditorProps) {
  const [own, setNote] = useState(p.note);
  const [ask, setAsk] = useState(false);
  const names = useRef({ type: "", deck: "" });
  const type = p.isNew ? named(p.types, own.typeId, names.current.type) : p.types.find((t) => t.id === own.typeId);
  const deck = named(p.decks, own.deckId, names.current.deck);
  names.current = { type: type?.name ?? "", deck: deck?.name ?? "" };
  const note = p.isNew && type && deck ? { ...own, typeId: type.id, deckId: deck.id, fields: type.fields.map((_, i) => own.fields[i] ?? "") } : own;
  const form = useRef<HTMLFormElement>(null);
  const saving = useRef(false);
  const latest = useRef(own);
  latest.current = own;
  const first = note.fields[0] ?? "";
  const duplicate = useLoad(() => isDuplicate(note.typeId, first, note.id), [note.typeId, first]);
  useEffect(() => () => guardLeaving(null), []);
  if (!type) return <Empty icon="info" title={texts.note.gone} text={texts.note.otherTypes} />;
  const change = (part: Partial<Note>): void => {
    setNote({ ...note, ...part });
    guardLeaving(askUnsaved); // at once: an effect could come after somebody has saved
  };
  const setField = (i: number, html: string): void => change({ fields: note.fields.map((f, j) => (j === i ? html : f)) });
  const problem = check(type, note);
  const save = async (): Promise<void> => {
    if (problem) return say(problem);
    if (saving.current) return; // a second tap means the same note
    saving.current = true;
    guardLeaving(null); // from here on nothing can be lost
    try {
      if (!p.isNew) {
        await edit({ op: "updateNote", noteId: note.id, ...merged(note, p.note, await readNote(note.id)) });
        say(texts.note.saved);
        return back();
      }
      const n = await addNote(note.typeId, note.deckId, note.fields, note.tags);
      say(texts.note.added(n));
      if (latest.current !== own) return; // what was typed meanwhile stays
      setNote({ ...note, fields: note.fields.map(() => "") });
      form.current?.querySelector<HTMLElement>("[role=textbox], textarea")?.focus(); // for the next one
    } catch (e) {
      guardLeaving(askUnsaved);
      if (p.isNew || await readNote(note.id).catch(() => true)) complain(e);
      else say(texts.note.gone);
    } finally {
      saving.current = false;
    }
  };
  const onKey = (e: KeyboardEvent): void => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) void save();
  };
  return (
    <form ref={form} class="stack" onSubmit={(e) => { e.preventDefault(); void save(); }} onKeyDown={onKey}>
      <Head title={p.isNew ? texts.note.add : texts.note.edit} back={p.isNew ? undefined : "#/browse"} onBack={back}>
        {!p.isNew && <IconButton icon="trash" label={texts.note.delete} onClick={() => setAsk(true)} />}
      </Head>
      {p.isNew && <Where {...p} note={note} change={change} />}
      {type.fields.map((name, i) => (
        <div key={`${type.id} ${name}`}>
          <FieldBox name={name} html={note.fields[i] ?? ""} onChange={(html) => setField(i, html)} cloze={type.cloze && i === 0 ? note.fields : undefined} autofocus={p.field === name || (p.isNew && i === 0)} />
          <MissingInField names={mediaNames(note.fields[i] ?? "")} onRemove={(name) => setField(i, without(note.fields[i] ?? "", name))} />
        </div>
      ))}
      {duplicate && <Notice kind="warn">{texts.note.duplicate}</Notice>}
      <Tags tags={note.tags} all={p.tags} onChange={(tags) => change({ tags })} />
      <Preview type={type} note={note} />
      <div class="save-bar">
        <button class="button primary big grow" aria-disabled={problem !== null}>{p.isNew ? texts.note.addButton : texts.common.save}</button>
      </div>
      {ask && <Confirm title={texts.note.delete} text={texts.note.deleteAsk} action={texts.note.delete} danger onNo={() => setAsk(false)} onYes={() => remove(note.id)} />}
    </form>
  );
}

/** The one with an id. A new note may outlive it, as when a package is imported in another tab: then the one of that name, or any. */
function named<T extends { id: number; name: string }>(list: readonly T[], id: number, name: string): T | undefined {
  return list.find((x) => x.id === id) ?? list.find((x) => x.name === name) ?? list[0];
}

/** What is saved of a note: what was not changed here is as another tab or device may have changed it since it was read. */
function merged(note: Note, read: Note, now: Note | undefined): { fields: string[]; tags: string[] } {
  if (now?.typeId !== note.typeId) return { fields: note.fields, tags: note.tags };
  return {
    fields: note.fields.map((f, i) => (f === read.fields[i] ? (now.fields[i] ?? f) : f)),
    tags: note.tags.join(" ") === read.tags.join(" ") ? now.tags : note.tags,
  };
}

function askUnsaved(): boolean {
  return confirm(texts.note.unsaved);
}

/** What is wrong with a note, null for nothing. */
function check(type: NoteType, note: Note): string | null {
  if (!(note.fields[0] ?? "").replace(/<br\s*\/?>|<\/?div>|\s/gi, "")) return texts.note.emptyFirst;
  return type.cloze && clozeNumbers(note.fields).length === 0 ? texts.note.clozeMissing : null;
}

function remove(noteId: number): Promise<void> {
  return edit({ op: "removeNotes", noteIds: [noteId] }).then(() => {
    guardLeaving(null); // not before: what was typed stays if that fails
    done(texts.browse.deleted(1));
    go("#/browse", { replace: true });
  }, complain);
}

function Where(p: { types: NoteType[]; decks: { id: number; name: string }[]; note: Note; change: (part: Partial<Note>) => void }) {
  const setType = (id: number): void => {
    const fields = p.types.find((t) => t.id === id)?.fields ?? [];
    p.change({ typeId: id, fields: fields.map((_, i) => p.note.fields[i] ?? "") });
    setCurrent("curModel", id).catch(complain);
  };
  return (
    <div class="two">
      <div class="field">
        <label for="note-type">{texts.note.type}</label>
        <select id="note-type" class="input" value={p.note.typeId} onChange={(e) => setType(Number(e.currentTarget.value))}>
          {p.types.map((t) => <option key={t.id} value={t.id}>{t.name}</option>)}
        </select>
      </div>
      <div class="field">
        <label for="note-deck">{texts.note.deck}</label>
        <select id="note-deck" class="input" value={p.note.deckId} onChange={(e) => p.change({ deckId: Number(e.currentTarget.value) })}>
          {p.decks.map((d) => <option key={d.id} value={d.id}>{d.name}</option>)}
        </select>
      </div>
    </div>
  );
}

function Tags(p: { tags: string[]; all: string[]; onChange: (tags: string[]) => void }) {
  const [text, setText] = useState(p.tags.join(" "));
  const last = text.split(" ").at(-1) ?? "";
  const before = text.slice(0, text.length - last.length);
  const fitting = last ? p.all.filter((t) => t.toLowerCase().startsWith(last.toLowerCase()) && t !== last).slice(0, 8) : [];
  return (
    <div class="field">
      <label for="note-tags">{texts.note.tags}</label>
      <input
        id="note-tags" class="input" list="tag-list" value={text} autocapitalize="none" spellcheck={false} aria-describedby="tags-hint"
        onInput={(e) => { setText(e.currentTarget.value); p.onChange(e.currentTarget.value.split(/\s+/).filter(Boolean)); }}
      />
      <datalist id="tag-list">{fitting.map((t) => <option key={t} value={before + t} />)}</datalist>
      <p id="tags-hint" class="hint">{texts.note.tagsHint}</p>
    </div>
  );
}

/** The cards that the note makes, as they will look. */
function Preview(p: { type: NoteType; note: Note }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{texts.note.preview}</summary>
      {open && <PreviewCard {...p} />}
    </details>
  );
}

interface Faces {
  rendered?: Rendered;
  answer: string;
  problem?: string | undefined;
}

async function readFaces(typeId: number, ord: number, note: Note): Promise<Faces> {
  try {
    const rendered = await preview(typeId, ord, note.fields, note.tags);
    return { rendered, answer: await rendered.answer(""), problem: rendered.problem };
  } catch (e) {
    return { answer: "", problem: texts.error(toError(e).kind).what };
  }
}

function PreviewCard(p: { type: NoteType; note: Note }) {
  const { type, note } = p;
  const [side, setSide] = useState<"question" | "answer">("question");
  const [chosen, setOrd] = useState(0);
  const ords = type.cloze ? clozeOrds(note.fields) : type.templates.map((_, i) => i);
  const ord = ords.includes(chosen) ? chosen : (ords[0] ?? 0); // a cloze may begin with another number than 1, or lose the one that was chosen
  const faces = useLoad<Faces>(() => readFaces(type.id, ord, note), [type.id, ord, note.fields.join("\x1f"), note.tags.join(" ")]);
  const problem = faces?.problem;
  const frame = useRef<FrameHandle | null>(null);
  const media = useRef<CardMedia | null>(null);
  media.current ??= new CardMedia((m) => frame.current?.send(m));
  useEffect(() => () => media.current?.end(), []);
  const player = useRef<Player | null>(null);
  useEffect(() => {
    player.current = new Player(faces?.rendered?.questionSounds ?? [], faces?.rendered?.answerSounds ?? []);
    return () => player.current?.stop();
  }, [faces]);
  const onMessage = (m: FromFrame): void => {
    switch (m.type) {
      case "need":
        return void media.current?.need(m.names);
      case "mathjax":
        return void sendMathJax(frame);
      case "play":
        return player.current?.play(m.side, m.index);
      case "link":
        return openLink(m.url);
    }
  };
  return (
    <div class="stack">
      <div class="row">
        {ords.length > 1 && (
          <select class="input narrow" aria-label={texts.note.preview} value={ord} onChange={(e) => setOrd(Number(e.currentTarget.value))}>
            {ords.map((o) => <option key={o} value={o}>{type.cloze ? `${o + 1}` : type.templates[o]}</option>)}
          </select>
        )}
        <button type="button" class="button" onClick={() => setSide(side === "question" ? "answer" : "question")}>{side === "question" ? texts.study.show : texts.note.question}</button>
      </div>
      {problem && <Notice kind="warn">{problem}</Notice>}
      {faces?.rendered && (
        <div class="surface preview">
          <CardFrame
            face={{ key: `${type.id} ${ord}`, side, html: side === "question" ? faces.rendered.question : faces.answer, css: faces.rendered.css, ord }} night={night} handle={frame}
            onMessage={onMessage}
          />
        </div>
      )}
    </div>
  );
}

function clozeOrds(fields: readonly string[]): number[] {
  return [...new Set(clozeNumbers(fields).filter((n) => n > 0).map((n) => n - 1))].sort((a, b) => a - b);
}

