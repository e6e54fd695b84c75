// Home: what to do now, and the tree of decks.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { deckTree, edit, lookAhead, today, type Deck, type Today } from "../api.ts";
import { account, complain, status, syncState, version } from "../ferry.ts";
import { recall, remember } from "../remembered.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { Icon } from "../ui/icons.tsx";
import { useLoad } from "../ui/load.ts";
import { Confirm, Empty, ErrorNotice, Head, IconButton, MenuItem, Notice, Sheet } from "../ui/parts.tsx";
import { SyncButton } from "../ui/SyncButton.tsx";
import { done } from "../undo.ts";

type Ask = { what: "menu" | "rename" | "remove"; deck: Deck } | { what: "new" } | null;

/** The list of decks. */
export function DecksView() {
  // Together, or the page would jump when the second comes.
  const loaded = useLoad(async () => ({ decks: await deckTree(), today: await today() }), [version.value]);
  const decks = loaded?.decks;
  const [ask, setAsk] = useState<Ask>(null);
  const isEmpty = decks && decks.length <= 1 && decks.every((d) => d.total === 0) && !status.value.lastSync;
  return (
    <>
      <Head title={texts.decks.title}><SyncButton /></Head>
      <Failed />
      {loaded && <TodayBox decks={loaded.decks} today={loaded.today} />}
      {decks && <Tree decks={decks} onMenu={(deck) => setAsk({ what: "menu", deck })} />}
      {isEmpty && <FirstSteps />}
      {decks && (
        <div class="foot-actions">
          <a class="button quiet" href={href("note", ["new"])}><Icon name="plus" />{texts.decks.add}</a>
          <button type="button" class="button quiet" onClick={() => setAsk({ what: "new" })}><Icon name="decks" />{texts.decks.newDeck}</button>
        </div>
      )}
      <Asking ask={ask} set={setAsk} />
    </>
  );
}

/** What a failed sync says. A running one is told by its button; the page stays as it is, and usable. */
function Failed() {
  const s = status.value;
  return syncState.value === "attention" && s.error ? <div class="section-first"><ErrorNotice error={s.error} /></div> : null;
}

function sum(decks: readonly Deck[]): number {
  return decks.reduce((n, d) => n + d.new + d.learn + d.review, 0);
}

/** The deck with the most that is due; new cards can wait. */
function first(decks: readonly Deck[]): Deck | undefined {
  const weight = (d: Deck): number => d.review + d.learn + d.new / 1000;
  return decks.filter((d) => !d.filtered && sum([d]) > 0).sort((a, b) => weight(b) - weight(a))[0];
}

function TodayBox(p: { decks: readonly Deck[]; today: Today }) {
  const t = p.today;
  const left = sum(p.decks.filter((d) => !d.filtered)); // those are studied elsewhere
  const next = first(p.decks);
  useEffect(() => {
    if (!next) return;
    const timer = setTimeout(() => void lookAhead(next.id).catch(() => undefined), 0); // after the list is on the screen; what fails here is said when somebody studies
    return () => clearTimeout(timer);
  }, [next?.id]);
  const done = t.reviews > 0 ? texts.decks.studied(t.reviews, Math.max(1, Math.round(t.seconds / 60))) : texts.decks.notStudied;
  return (
    <section class="surface today">
      <div>
        <p class="figure">{left > 0 ? texts.decks.today(left, Math.ceil((left * t.secondsEach) / 60)) : texts.decks.done}</p>
        <p class="muted">{left > 0 || t.reviews > 0 ? done : texts.decks.doneMore}</p>
      </div>
      {next && <a class="button primary big" href={href("study", [next.id])}>{texts.decks.study(next.name)}</a>}
    </section>
  );
}

function Tree(p: { decks: readonly Deck[]; onMenu: (deck: Deck) => void }) {
  const c = texts.decks.columns;
  return (
    <section class="surface tree" aria-label={texts.decks.title}>
      <div class="tree-head" aria-hidden="true">
        <span>{texts.decks.deck}</span><span>{c.new}</span><span>{c.learn}</span><span>{c.review}</span><span />
      </div>
      <ul>{p.decks.map((deck) => <Row key={deck.id} deck={deck} level={0} onMenu={p.onMenu} />)}</ul>
    </section>
  );
}

function Row(p: { deck: Deck; level: number; onMenu: (deck: Deck) => void }) {
  const { deck, level } = p;
  const open = isOpen(deck);
  const counts = [["new", deck.new], ["learn", deck.learn], ["review", deck.review]] as const;
  const label = `${deck.name}: ${texts.study.remaining(deck.new, deck.learn, deck.review)}`;
  return (
    <li>
      <div class="deck">
        <div class="name" style={{ "--level": level }}>
          {deck.children.length > 0 && (
            <button type="button" class="icon-button fold" aria-expanded={open} aria-label={texts.decks.fold(deck.name, open)} onClick={() => fold(deck, open)}>
              <Icon name="chevron" />
            </button>
          )}
          {deck.filtered ? (
            <span class="plain"><bdi>{deck.name}</bdi><span class="tag" title={texts.decks.filtered}>{texts.decks.filteredTag}</span></span>
          ) : (
            <a href={href("study", [deck.id])} aria-label={label}><bdi>{deck.name}</bdi></a>
          )}
        </div>
        <div class="counts" aria-hidden="true">
          {counts.map(([kind, n]) => <span key={kind} class={`count ${kind} ${n === 0 ? "zero" : ""}`} data-label={texts.decks.columns[kind]}>{texts.whole(n)}</span>)}
        </div>
        <IconButton icon="more" label={texts.decks.menu(deck.name)} onClick={() => p.onMenu(deck)} />
      </div>
      {open && deck.children.length > 0 && (
        <ul>{deck.children.map((child) => <Row key={child.id} deck={child} level={level + 1} onMenu={p.onMenu} />)}</ul>
      )}
    </li>
  );
}

const FOLDS = "cardferry.folds";
/** Which decks were folded or unfolded here; the others are as on the computer. */
const folds = signal<Record<string, boolean>>(readFolds());

function readFolds(): Record<string, boolean> {
  try {
    return JSON.parse(recall(FOLDS) ?? "{}") as Record<string, boolean>;
  } catch {
    return {};
  }
}

function isOpen(deck: Deck): boolean {
  return folds.value[deck.id] ?? !deck.collapsed;
}

function fold(deck: Deck, open: boolean): void {
  folds.value = { ...folds.value, [deck.id]: !open };
  remember(FOLDS, JSON.stringify(folds.value));
}

function FirstSteps() {
  return (
    <Empty icon="decks" title={texts.decks.emptyTitle} text={account.value ? texts.decks.emptySignedIn : texts.decks.empty}>
      <div class="row center">
        <a class="button primary" href={href("note", ["new"])}>{texts.decks.add}</a>
        {account.value ? <a class="button" href={href("settings", ["computer"])}>{texts.decks.connect}</a> : <a class="button" href={href("sign-in")}>{texts.decks.signIn}</a>}
      </div>
    </Empty>
  );
}

function Asking(p: { ask: Ask; set: (ask: Ask) => void }) {
  const close = (): void => p.set(null);
  const ask = p.ask;
  switch (ask?.what) {
    case "menu":
      return <DeckMenu deck={ask.deck} set={p.set} />;
    case "new":
      return <NameSheet title={texts.decks.newDeck} name="" onClose={close} onSave={(name) => edit({ op: "addDeck", name })} />;
    case "rename":
      return <NameSheet title={texts.decks.rename} name={ask.deck.fullName} onClose={close} onSave={(name) => edit({ op: "renameDeck", deckId: ask.deck.id, name })} />;
    case "remove":
      return <RemoveDeck deck={ask.deck} onClose={close} />;
  }
  return null;
}

function DeckMenu(p: { deck: Deck; set: (ask: Ask) => void }) {
  const { deck } = p;
  return (
    <Sheet title={deck.name} onClose={() => p.set(null)}>
      {deck.filtered && <div class="body"><Notice>{texts.decks.filtered}</Notice></div>}
      <a class="item" href={href("browse", [], { q: `deck:"${deck.fullName}"` })}><Icon name="browse" />{texts.decks.browse}</a>
      {!deck.filtered && <a class="item" href={href("note", ["new"], { deck: String(deck.id) })}><Icon name="plus" />{texts.decks.add}</a>}
      <MenuItem icon="edit" label={texts.decks.rename} onClick={() => p.set({ what: "rename", deck })} />
      {deck.id !== 1 && <MenuItem icon="trash" label={texts.decks.remove} danger onClick={() => p.set({ what: "remove", deck })} />}
    </Sheet>
  );
}

function NameSheet(p: { title: string; name: string; onClose: () => void; onSave: (name: string) => Promise<unknown> }) {
  const [name, setName] = useState(p.name);
  const saving = useRef(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  const save = (e: Event): void => {
    e.preventDefault();
    if (!name.trim() || saving.current) return; // a second Enter means the same deck
    saving.current = true;
    p.onSave(name.trim()).then(p.onClose, complain).finally(() => (saving.current = false));
  };
  return (
    <Sheet title={p.title} onClose={p.onClose}>
      <form class="body stack" onSubmit={save}>
        <div class="field">
          <label for="deck-name">{texts.decks.name}</label>
          <input ref={input} id="deck-name" class="input" value={name} onInput={(e) => setName(e.currentTarget.value)} autocomplete="off" />
          <p class="hint">{texts.decks.subdeck}</p>
        </div>
        <button class="button primary" disabled={!name.trim()}>{texts.common.save}</button>
      </form>
    </Sheet>
  );
}

function RemoveDeck(p: { deck: Deck; onClose: () => void }) {
  const remove = (): Promise<void> => edit({ op: "removeDeck", deckId: p.deck.id }).then(() => { done(texts.decks.removed(p.deck.fullName)); p.onClose(); }, complain);
  return <Confirm title={texts.decks.remove} text={texts.decks.removeAsk(p.deck.fullName, p.deck.total)} action={texts.decks.remove} danger onYes={remove} onNo={p.onClose} />;
}

