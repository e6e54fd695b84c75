// Browse: search, and do something with many cards. Only the rows in view exist, so 50,000 are no more work than 50.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { edit } from "../api.ts";
import { deckNames, find, hits, type Found, type Hit } from "../cards.ts";
import type { Day } from "../day.ts";
import { complain, version } from "../ferry.ts";
import { go, href, route } from "../router.ts";
import { texts } from "../texts.ts";
import { useLoad } from "../ui/load.ts";
import { done } from "../undo.ts";
import { Confirm, Empty, Head, IconButton, Sheet } from "../ui/parts.tsx";

/** The height of a row in pixels: 4rem, as in views.css. */
const rowHeight = (): number => 4 * parseFloat(getComputedStyle(document.documentElement).fontSize);
const BEFORE_AND_AFTER = 12;
const TYPING_PAUSE = 200;

/** The list of cards. */
export function BrowseView() {
  const query = route.value.params.get("q") ?? "";
  const found = useLoad(() => find(query), [query, version.value]);
  const [chosen, select] = useState<ReadonlySet<number>>(new Set());
  // With a card that is gone nothing could be done with the others.
  const selected = useMemo(() => (found ? new Set(found.ids.filter((id) => chosen.has(id))) : chosen), [found, chosen]);
  useEffect(() => select(new Set()), [query]);
  return (
    <>
      <Head title={texts.browse.title} line={found && texts.browse.found(found.ids.length)} />
      <Search query={query} />
      {found && found.ids.length === 0 && (
        <Empty icon="browse" title={query ? texts.browse.nothing(query) : texts.browse.nothingAtAll} text={texts.browse.help} />
      )}
      {found && found.ids.length > 0 && <Rows found={found} selected={selected} select={select} />}
      {selected.size > 0 && <Selection selected={selected} clear={() => select(new Set())} />}
    </>
  );
}

function Search(p: { query: string }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []); // nobody is called back from where they have gone
  const input = useRef<HTMLInputElement>(null);
  const typed = useRef(p.query);
  useEffect(() => {
    if (input.current && p.query !== typed.current) input.current.value = p.query; // a link, or Back
    typed.current = p.query;
  }, [p.query]);
  const type = (value: string): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      typed.current = value;
      go(href("browse", [], value ? { q: value } : {}), { replace: true });
    }, TYPING_PAUSE);
  };
  return (
    <search class="search">
      <input
        ref={input} class="input" type="search" aria-label={texts.browse.search} placeholder={texts.browse.placeholder} aria-describedby="search-help"
        defaultValue={p.query} onInput={(e) => type(e.currentTarget.value)} autocomplete="off" spellcheck={false}
      />
      <p id="search-help" class="sr">{texts.browse.help}</p>
    </search>
  );
}

/** The part of the list that is in view, as indexes. */
function useWindow(count: number): { ref: { current: HTMLDivElement | null }; from: number; to: number } {
  const ref = useRef<HTMLDivElement>(null);
  const [range, set] = useState({ from: 0, to: 30 });
  useEffect(() => {
    const measure = (): void => {
      const row = rowHeight();
      const top = -(ref.current?.getBoundingClientRect().top ?? 0);
      const from = Math.max(0, Math.floor(top / row) - BEFORE_AND_AFTER);
      const to = Math.min(count, Math.ceil((top + innerHeight) / row) + BEFORE_AND_AFTER);
      set((old) => (old.from === from && old.to === to ? old : { from, to }));
    };
    measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [count]);
  return { ref, ...range };
}

interface Picking {
  selected: ReadonlySet<number>;
  select: (ids: ReadonlySet<number>) => void;
}

function Rows(p: { found: Found } & Picking) {
  const { ids } = p.found;
  const { ref, from, to } = useWindow(ids.length);
  const rows = useLoad(() => hits(ids.slice(from, to)).then((list) => ({ from, list })), [ids, from, to]);
  const toggle = (id: number): void => {
    const next = new Set(p.selected);
    if (!next.delete(id)) next.add(id);
    p.select(next);
  };
  return (
    <div class="surface">
      <div ref={ref} class="rows" role="list" style={{ height: `${ids.length * 4}rem` }}>
        {rows?.list.map((hit, i) => (
          <div key={hit.id} role="listitem" class="hit" style={{ top: `${(rows.from + i) * 4}rem` }} aria-setsize={ids.length} aria-posinset={rows.from + i + 1}>
            <label>
              <input type="checkbox" checked={p.selected.has(hit.id)} onChange={() => toggle(hit.id)} aria-label={texts.browse.select(hit.first)} />
            </label>
            <a href={href("note", [hit.noteId])}>
              <span class="first" dir="auto">{hit.first || texts.browse.empty}</span>
              <span class="second"><bdi>{hit.deck}</bdi> · {due(hit, p.found.day)}</span>
            </a>
          </div>
        ))}
      </div>
    </div>
  );
}

function due(hit: Hit, day: Day): string {
  const t = texts.browse.due;
  if (hit.queue === -1) return t.suspended;
  if (hit.queue < 0) return t.buried;
  if (hit.type === 0) return t.new;
  if (hit.queue === 1) return t.learning;
  const days = hit.due - day.number;
  return days > 0 ? t.in(days) : days === 0 ? t.today : t.late;
}

function Selection(p: { selected: ReadonlySet<number>; clear: () => void }) {
  const [ask, setAsk] = useState<"delete" | "move" | null>(null);
  const cardIds = [...p.selected];
  const set = (what: { suspended?: boolean; deckId?: number }): void => {
    setAsk(null);
    const n = cardIds.length;
    const text = what.deckId !== undefined ? texts.browse.moved(n) : what.suspended ? texts.browse.suspended(n) : texts.browse.unsuspended(n);
    edit({ op: "setCards", cardIds, ...what }).then(() => { done(text); p.clear(); }, complain);
  };
  return (
    <div class="surface selection" role="group" aria-label={texts.browse.selected(cardIds.length)}>
      <IconButton icon="close" label={texts.browse.clear} onClick={p.clear} />
      <span class="grow">{texts.browse.selected(cardIds.length)}</span>
      <button type="button" class="button quiet" onClick={() => set({ suspended: true })}>{texts.browse.suspend}</button>
      <button type="button" class="button quiet" onClick={() => set({ suspended: false })}>{texts.browse.unsuspend}</button>
      <button type="button" class="button quiet" onClick={() => setAsk("move")}>{texts.browse.move}</button>
      <button type="button" class="button quiet danger" onClick={() => setAsk("delete")}>{texts.browse.deleteNotes}</button>
      {ask === "delete" && <DeleteNotes cardIds={cardIds} onNo={() => setAsk(null)} onDone={() => { setAsk(null); p.clear(); }} />}
      {ask === "move" && <Move onDeck={(deckId) => set({ deckId })} onClose={() => setAsk(null)} />}
    </div>
  );
}

function DeleteNotes(p: { cardIds: number[]; onNo: () => void; onDone: () => void }) {
  const noteIds = useLoad(async () => [...new Set((await hits(p.cardIds)).map((h) => h.noteId))], []);
  if (!noteIds) return null;
  const remove = (): Promise<void> =>
    edit({ op: "removeNotes", noteIds }).then(() => { done(texts.browse.deleted(noteIds.length)); p.onDone(); }, complain);
  return <Confirm title={texts.browse.deleteNotes} text={texts.browse.deleteAsk(noteIds.length)} action={texts.browse.deleteNotes} danger onYes={remove} onNo={p.onNo} />;
}

function Move(p: { onDeck: (id: number) => void; onClose: () => void }) {
  const decks = useLoad(deckNames, []);
  return (
    <Sheet title={texts.browse.move} onClose={p.onClose}>
      <ul class="list">
        {decks?.map((d) => <li key={d.id}><button type="button" class="item" onClick={() => p.onDeck(d.id)}>{d.name}</button></li>)}
      </ul>
    </Sheet>
  );
}
