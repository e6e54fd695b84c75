// Study: the card, Show answer, four buttons. One thing on the screen, within reach of a thumb.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { answer, cardOf, edit, queue, rendered, type CardFacts, type Queue, type Rendered } from "../api.ts";
import type { FromFrame, Side } from "../card/messages.ts";
import { CardFrame, type FrameHandle } from "../card/Frame.tsx";
import { CardMedia } from "../card/media.ts";
import { openLink } from "../card/link.ts";
import { sendMathJax } from "../card/mathjax.ts";
import { film, Player } from "../card/player.ts";
import { spoken } from "../cards.ts";
import { complain, say, toError, version } from "../ferry.ts";
import { back, go, href } from "../router.ts";
import { texts } from "../texts.ts";
import { night } from "../theme.ts";
import { takeBack } from "../undo.ts";
import { Icon } from "../ui/icons.tsx";
import { IconButton, Sheet } from "../ui/parts.tsx";
import { isLatex, MissingMedia } from "./MissingMedia.tsx";
import { CardMenu } from "./CardMenu.tsx";

/** What is on the screen. */
interface Shown {
  queue: Queue;
  facts: CardFacts;
  rendered: Rendered;
  /** When it was first seen. */
  since: number;
}

type Grade = 1 | 2 | 3 | 4;

/** Studies a deck with its subdecks. */
export function StudyView(p: { deckId: number }) {
  const s = useStudy(p.deckId);
  if (s.failed) return <Failed text={s.failed} />;
  if (!s.queue) return <div class="study" aria-busy="true" />;
  if (!s.shown) return <Done queue={s.queue} onUndo={s.takeBack} onMore={s.next} />;
  return (
    <>
      <CardScreen key={s.shown.since} s={s} shown={s.shown} /* a card that comes again at once begins anew */ />
      <Spoken html={s.side === "question" ? s.shown.rendered.question : (s.answer ?? "")} />
    </>
  );
}

/** Tells a screen reader what has come on the screen: the focus stays at the buttons, or goes with the one that was pressed. */
function Spoken(p: { html: string }) {
  return <p class="sr" role="status">{useMemo(() => spoken(p.html), [p.html])}</p>;
}

type Study = ReturnType<typeof useStudy>;

/** The state of a session: the card, its side, and what can be done with it. */
function useStudy(deckId: number) {
  const [state, set] = useState<{ queue?: Queue; shown?: Shown; side: Side; answer?: string; failed?: string }>({ side: "question" });
  const busy = useRef(false);
  const next = async (): Promise<void> => {
    try {
      const q = await queue(deckId);
      if (!q.card) return set({ queue: q, side: "question" });
      const [facts, faces] = await Promise.all([cardOf(q.card.id), rendered(q.card.id)]);
      set({ queue: q, side: "question", shown: { queue: q, facts, rendered: faces, since: performance.now() } });
    } catch (e) {
      const { what } = texts.error(toError(e).kind);
      set({ side: "question", failed: what });
    }
  };
  /** Runs one change at a time, then shows the next card. */
  const change = async (work: () => Promise<unknown>): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    try {
      await work();
      await next();
    } catch (e) {
      complain(e);
    } finally {
      busy.current = false;
    }
  };
  const { shown } = state;
  /** Changes what is on the screen, if that card still is. */
  const onScreen = (what: Shown, news: Partial<Shown>, side?: { side: Side; answer: string }): void =>
    set((s) => (s.shown?.since === what.since ? { ...s, ...side, shown: { ...s.shown, ...news } } : s));
  const latest = useRef(shown);
  latest.current = shown;
  /** Reads again what another device or tab has changed under the learner's eyes: a card that is gone could not be answered. */
  const follow = async (): Promise<void> => {
    const now = latest.current;
    if (!now) return next(); // a new day, or a sync, may have brought more
    const facts = await cardOf(now.facts.id);
    const q = facts.mark === now.facts.mark ? await queue(deckId) : undefined;
    if (now.since !== latest.current?.since || busy.current) return;
    if (!q) return next();
    // What comes first may be another card by now. The one on the screen stays, beside the new counts.
    onScreen(now, { facts, queue: q.card?.id === now.facts.id ? q : { ...now.queue, counts: q.counts } });
  };
  useEffect(() => void next(), [deckId]);
  useEffect(() => {
    if (state.queue) void follow().catch(() => undefined); // who can read no cards hears of it with the answer
  }, [version.value]);
  return {
    ...state,
    next,
    change,
    show: (typed: string): void => {
      if (shown) shown.rendered.answer(typed).then((html) => onScreen(shown, {}, { side: "answer", answer: html }), complain);
    },
    grade: (button: Grade): void => {
      if (!shown) return;
      const leech = button === 1 && shown.queue.card?.leech === true;
      void change(async () => {
        await answer(shown.facts.id, button, performance.now() - shown.since);
        if (leech) say(texts.study.leech);
      });
    },
    takeBack: (): void => void change(takeBack),
    refresh: async (): Promise<void> => {
      if (shown) onScreen(shown, { facts: await cardOf(shown.facts.id) });
    },
  };
}

function CardScreen(p: { s: Study; shown: Shown }) {
  const { s, shown } = p;
  const [menu, setMenu] = useState<"menu" | "keys" | "missing" | null>(null);
  const typed = useRef("");
  const frame = useRef<FrameHandle | null>(null);
  const media = useCardMedia(shown, frame);
  const player = usePlayer(shown, s.side);
  const show = (): void => s.show(typed.current);
  const act = (key: string, ctrl: boolean): boolean => keyAction(key, ctrl, { s, shown, player, show, menu: setMenu });
  useKeys(act, menu !== null || film.value !== null);
  const toBox = (): void => void (s.side === "question" && shown.rendered.typed && frame.current?.focus());
  useEffect(() => {
    if (!film.value) toBox(); // a film has had the focus
  }, [film.value]);
  const onMessage = (m: FromFrame): void => {
    switch (m.type) {
      case "need":
        return void media.need(m.names);
      case "mathjax":
        return void sendMathJax(frame);
      case "shown":
        return toBox();
      case "typed":
        typed.current = m.text;
        return;
      case "play":
        return player.play(m.side, m.index);
      case "key":
        // A card could invent keys, so they count only just after a person did something. To a browser Escape is nothing; it only leaves.
        return void ((m.key === "Escape" || navigator.userActivation.isActive) && act(m.key, m.ctrl));
      case "link":
        return openLink(m.url);
    }
  };
  const face = {
    key: shown.facts.id, side: s.side, ord: shown.rendered.ord, css: shown.rendered.css,
    html: s.side === "question" ? shown.rendered.question : (s.answer ?? ""),
  };
  return (
    <div class="study">
      <Top s={s} shown={shown} onMenu={() => setMenu("menu")} />
      <div class="paper">
        <div class="surface">
          {shown.rendered.problem && <div class="media-note bad" role="status"><Icon name="alert" /><span class="grow">{shown.rendered.problem}</span></div>}
          <MediaLine media={media} onWhat={() => setMenu("missing")} />
          {shown.facts.flag > 0 && <span class={`flag f${shown.facts.flag}`}><Icon name="flag" /><span class="sr">{texts.study.flags[shown.facts.flag]}</span></span>}
          <CardFrame face={face} night={night} handle={frame} onMessage={onMessage} />
        </div>
      </div>
      <Answer s={s} shown={shown} show={show} />
      {menu === "menu" && <CardMenu facts={shown.facts} onClose={() => setMenu(null)} onKeys={() => setMenu("keys")} change={s.change} onFlagged={s.refresh} />}
      {menu === "keys" && <Keys onClose={() => setMenu(null)} />}
      {menu === "missing" && <MissingMedia noteId={shown.facts.noteId} names={media.missing.value} onClose={() => setMenu(null)} />}
    </div>
  );
}

function useCardMedia(shown: Shown, frame: { current: FrameHandle | null }): CardMedia {
  const ref = useRef<CardMedia | null>(null);
  ref.current ??= new CardMedia((m) => frame.current?.send(m));
  useEffect(() => () => ref.current?.end(), [shown.facts.id]);
  return ref.current;
}

function usePlayer(shown: Shown, side: Side): Player {
  const ref = useRef<Player | null>(null);
  ref.current ??= new Player(shown.rendered.questionSounds, shown.rendered.answerSounds);
  useEffect(() => {
    if (shown.facts.autoplay) ref.current?.playSide(side === "question" ? "q" : "a");
  }, [side]);
  useEffect(() => () => ref.current?.stop(), []);
  return ref.current;
}

interface KeyContext {
  s: Study;
  shown: Shown;
  player: Player;
  show: () => void;
  menu: (what: "keys") => void;
}

/** Does what a key means here; false if it means nothing. */
function keyAction(key: string, ctrl: boolean, c: KeyContext): boolean {
  const { s, shown } = c;
  if (ctrl) return key === "z" && (s.takeBack(), true);
  if (key === " " || key === "Enter") return s.side === "question" ? (c.show(), true) : (s.grade(3), true);
  if (/^[1-4]$/.test(key)) return s.side === "answer" && (s.grade(Number(key) as Grade), true);
  const actions: Record<string, () => void> = {
    u: s.takeBack,
    r: () => c.player.again(s.side === "question" ? "q" : "a"),
    e: () => go(href("note", [shown.facts.noteId])),
    "-": () => void s.change(() => edit({ op: "setCards", cardIds: [shown.facts.id], buried: true })),
    "@": () => void s.change(() => edit({ op: "setCards", cardIds: [shown.facts.id], suspended: true })),
    "?": () => c.menu("keys"),
    Escape: () => go("#/"),
  };
  const action = actions[key.length === 1 ? key.toLowerCase() : key];
  action?.();
  return action !== undefined;
}

function useKeys(act: (key: string, ctrl: boolean) => boolean, off: boolean): void {
  const latest = useRef({ act, off });
  latest.current = { act, off };
  useEffect(() => {
    const onKey = (e: KeyboardEvent): void => {
      if (latest.current.off || e.repeat || e.altKey || e.isComposing) return; // a key that is held would answer card after card
      const on = e.target instanceof HTMLElement ? e.target.closest("button, a, input, textarea, select") : null;
      if (on && (e.key === "Enter" || e.key === " " || !/^(A|BUTTON)$/.test(on.tagName))) return;
      if (latest.current.act(e.key, e.ctrlKey || e.metaKey)) e.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function Top(p: { s: Study; shown: Shown; onMenu: () => void }) {
  const { counts, card } = p.shown.queue;
  return (
    <header class="study-top">
      <a class="icon-button" href="#/" aria-label={texts.study.home}><Icon name="back" /></a>
      <h1 class="sr">{p.shown.facts.deck}</h1>
      <p class="study-counts">
        <span class="sr">{texts.study.remaining(counts.new, counts.learn, counts.review)}</span>
        {(["new", "learn", "review"] as const).map((kind) => (
          <span key={kind} class={`count ${kind} ${card?.kind === kind ? "now" : ""}`} aria-hidden="true">{texts.whole(counts[kind])}</span>
        ))}
      </p>
      <IconButton icon="undo" label={texts.common.undo} onClick={p.s.takeBack} />
      <IconButton icon="more" label={texts.study.menu} onClick={p.onMenu} />
    </header>
  );
}

const NAMES = ["again", "hard", "good", "easy"] as const;

/** How soon after the buttons have changed the second click of a double one still comes, in milliseconds. */
const DOUBLE = 300;

function Answer(p: { s: Study; shown: Shown; show: () => void }) {
  const { s, shown } = p;
  const since = useRef(0);
  useLayoutEffect(() => void (since.current = performance.now()), [s.side]);
  /** A double click means what stood here at its first one: nobody has seen the answer that the second would grade. */
  const click = (act: () => void) => (e: MouseEvent): void => void ((e.detail < 2 || e.timeStamp - since.current > DOUBLE) && act());
  if (s.side === "question") {
    return (
      <div class="answer">
        <button type="button" class="button primary big wide" onClick={click(p.show)}>{texts.study.show}</button>
      </div>
    );
  }
  return (
    <div class="answer grades">
      {NAMES.map((name, i) => {
        const interval = shown.queue.card?.labels[i] ?? "";
        const word = texts.study.grades[i] ?? "";
        return (
          <button key={name} type="button" class={`grade ${name}`} onClick={click(() => s.grade((i + 1) as Grade))}>
            <span>{word}</span> <small>{interval}</small>
          </button>
        );
      })}
    </div>
  );
}

function MediaLine(p: { media: CardMedia; onWhat: () => void }) {
  const missing = p.media.missing.value;
  const [first = ""] = missing;
  const coming = p.media.coming.value.length;
  if (missing.length > 0) {
    return (
      <div class="media-note bad" role="status">
        <Icon name="image" />
        <span class="grow">{missing.length > 1 ? texts.media.missingMany(missing.length) : isLatex(first) ? texts.media.missingLatex : texts.media.missing(first)}</span>
        <button type="button" class="button" onClick={p.onWhat}>{texts.media.what}</button>
      </div>
    );
  }
  if (coming === 0) return null;
  return <div class="media-note" role="status"><Icon name="sync" class="turning" /><span class="grow">{texts.media.coming(coming)}</span></div>;
}

function Keys(p: { onClose: () => void }) {
  return (
    <Sheet title={texts.study.keys} onClose={p.onClose}>
      <dl class="body keys">
        {texts.study.keyList.map(([key, what]) => (
          <><dt key={key}>{key.split(" ").map((k) => <><kbd>{k}</kbd> </>)}</dt><dd>{what}</dd></>
        ))}
      </dl>
    </Sheet>
  );
}

/** Nothing is left for now: says why, and comes back by itself when a learning card falls due. */
function Done(p: { queue: Queue; onUndo: () => void; onMore: () => Promise<void> }) {
  const { laterAt, finished } = p.queue;
  useEffect(() => {
    if (laterAt === undefined) return;
    // Each minute, as the sentence counts them; and a timer of ten would wait that long after a device has slept, too.
    const timer = setTimeout(() => void p.onMore(), Math.max(1000, Math.min(laterAt - Date.now(), 60_000)));
    return () => clearTimeout(timer);
  }, [p.queue]);
  useKeys((key, ctrl) => (key === "u" || (ctrl && key === "z") ? (p.onUndo(), true) : key === "Escape" && (back(), true)), false);
  const lines = [texts.study.done];
  if (laterAt !== undefined) lines.push(texts.study.later(Math.max(1, Math.ceil((laterAt - Date.now()) / 60_000))));
  if (finished && finished.kept > 0) lines.push(texts.study.kept(finished.kept));
  if (finished && finished.buried > 0) lines.push(texts.study.buriedLeft(finished.buried));
  return (
    <div class="study">
      <header class="study-top">
        <a class="icon-button" href="#/" aria-label={texts.study.home}><Icon name="back" /></a>
        <span class="grow" />
        <IconButton icon="undo" label={texts.common.undo} onClick={p.onUndo} />
      </header>
      <div class="empty finished">
        <Icon name="check" />
        <h1>{texts.study.doneTitle}</h1>
        <p>{finished?.filtered ? texts.decks.filtered : lines.join(" ")}</p>
        <a class="button primary big" href="#/">{texts.study.home}</a>
      </div>
    </div>
  );
}

function Failed(p: { text: string }) {
  useKeys((key) => key === "Escape" && (go("#/"), true), false);
  return (
    <div class="study">
      <div class="empty finished">
        <Icon name="alert" />
        <h1>{texts.study.notRendered}</h1>
        <p>{p.text}</p>
        <a class="button" href="#/">{texts.study.home}</a>
      </div>
    </div>
  );
}

