// What else can be done with the card on the screen.

import { edit, setFlag, type CardFacts, type Flag } from "../api.ts";
import { complain, say } from "../ferry.ts";
import { href } from "../router.ts";
import { texts } from "../texts.ts";
import { Icon } from "../ui/icons.tsx";
import { MenuItem, Sheet } from "../ui/parts.tsx";

/** The menu of the study screen. */
export function CardMenu(p: { facts: CardFacts; onClose: () => void; onKeys: () => void; change: (work: () => Promise<unknown>) => Promise<void>; onFlagged: () => Promise<void> }) {
  const { facts } = p;
  const set = (what: { buried?: boolean; suspended?: boolean }, text: string): void => {
    p.onClose();
    void p.change(async () => {
      await edit({ op: "setCards", cardIds: [facts.id], ...what });
      say(text);
    });
  };
  return (
    <Sheet title={texts.study.menu} onClose={p.onClose}>
      <a class="item" href={href("note", [facts.noteId])}><Icon name="edit" />{texts.study.edit}</a>
      <MenuItem icon="moon" label={texts.study.bury} onClick={() => set({ buried: true }, texts.study.buried)} />
      <MenuItem icon="pause" label={texts.study.suspend} onClick={() => set({ suspended: true }, texts.study.suspended)} />
      <MenuItem icon="keyboard" label={texts.study.keys} onClick={p.onKeys} />
      <div class="body">
        <p class="label">{texts.study.flag}</p>
        <Flags flag={facts.flag} onFlag={(flag) => setFlag([facts.id], flag).then(p.onFlagged).then(p.onClose, complain)} />
        <p class="label facts-title">{texts.study.info}</p>
        <Facts facts={facts} />
      </div>
    </Sheet>
  );
}

function Flags(p: { flag: number; onFlag: (flag: Flag) => void }) {
  return (
    <div class="flags" role="group" aria-label={texts.study.flag}>
      {texts.study.flags.map((name, i) => (
        <button key={name} type="button" class={`icon-button f${i}`} aria-label={name} title={name} aria-pressed={p.flag === i} onClick={() => p.onFlag(i as Flag)}>
          <Icon name={i === 0 ? "close" : "flag"} />
        </button>
      ))}
    </div>
  );
}

function Facts(p: { facts: CardFacts }) {
  const { facts } = p;
  const rows: [string, string][] = [
    [texts.facts.deck, facts.deck],
    [texts.facts.type, `${facts.notetype}, ${facts.template}`],
    [texts.facts.interval, facts.interval > 0 ? texts.count(facts.interval, "day") : texts.facts.none],
    [texts.facts.reviews, texts.whole(facts.reps)],
    [texts.facts.lapses, texts.whole(facts.lapses)],
  ];
  return <dl class="facts">{rows.map(([name, value]) => <><dt key={name}>{name}</dt><dd>{value}</dd></>)}</dl>;
}
