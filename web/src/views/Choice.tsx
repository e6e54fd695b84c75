// The one-way choice: what each side has and would lose, in numbers, before anything is replaced. Doing nothing is the
// default. If one side is empty there is nothing to choose, and the page says what will happen.

import { useState } from "preact/hooks";
import { num } from "../api.ts";
import { plain } from "../cards.ts";
import { ferry, replacing, say, status, syncedWithThis, toError } from "../ferry.ts";
import { back, go } from "../router.ts";
import { oneWay } from "../syncing.ts";
import { texts } from "../texts.ts";
import { Icon } from "../ui/icons.tsx";
import { useLoad } from "../ui/load.ts";
import { Confirm, Empty, ErrorNotice, Head, Notice } from "../ui/parts.tsx";
import { Progress } from "../ui/Progress.tsx";

const EXAMPLES = 3;

/** What is known of both sides. */
interface Sides {
  uploadOK: boolean;
  downloadOK: boolean;
  cards: number;
  notes: number;
  reviews: number;
  pending: number;
  /** Unix milliseconds, 0 = unknown. */
  changed: number;
  lastSync: number;
  serverChanged: number;
  serverChangedSince: boolean;
  /** What of this device was not sent. */
  here: Newer;
  /** What the server has; undefined where it does not say. */
  server: { cards: number; reviews: number; newer: Newer } | undefined;
}

/** What has come to one side since the sides were last the same. */
interface Newer {
  notes: number;
  reviews: number;
  /** First fields of the notes that were changed last. */
  examples: string[];
}

/** The place of the choice. */
export function ChoiceView() {
  const [error, setError] = useState<ReturnType<typeof toError> | null>(null);
  // Read again when another tab has chosen: what is shown here would undo that.
  const asked = status.value.required === "full" || replacing.value;
  const sides = useLoad(() => readSides().then((s) => (setError(null), s), (e: unknown) => (setError(toError(e)), null)), [asked]);
  if (status.value.activity === "syncing") return <Working />;
  if (error) return <><Head title={texts.choice.title} back="#/" /><ErrorNotice error={error} /></>;
  if (sides === undefined) return <Head title={texts.sync.title} back="#/" />;
  if (sides === null) {
    return <><Head title={texts.sync.title} back="#/" /><Empty icon="check" title={texts.sync.state.none()} text={texts.choice.notNow}><a class="button" href="#/">{texts.study.home}</a></Empty></>;
  }
  if (!sides.uploadOK) return <OneSide direction="download" sides={sides} />;
  if (!sides.downloadOK) return <OneSide direction="upload" sides={sides} />;
  return <TwoSides sides={sides} />;
}

/** Asks the server; null if no choice is needed. */
async function readSides(): Promise<Sides | null> {
  const report = await ferry().refresh();
  if (report.required !== "full") return null;
  const answer = await ask();
  if (!answer) return null;
  const lastSync = syncedWithThis() ? report.last_sync : 0; // what another account has says nothing of this one
  const q = async (sql: string) => (await ferry().query(sql))[0];
  const [counts, col, rows, contents] = await Promise.all([
    q(`SELECT (SELECT count() FROM cards) AS cards, (SELECT count() FROM notes) AS notes, (SELECT count() FROM revlog) AS revlog,
      (SELECT count() FROM notes WHERE usn = -1) AS newNotes, (SELECT count() FROM revlog WHERE usn = -1) AS newReviews`),
    q("SELECT mod FROM col"),
    ferry().query(`SELECT flds FROM notes WHERE usn = -1 ORDER BY mod DESC, id DESC LIMIT ${EXAMPLES}`),
    ferry().serverContents({ since: lastSync }).catch(() => undefined), // a server that is none of ours does not say
  ]);
  const firsts = (fields: readonly string[]): string[] => fields.map((f) => plain(f.split("\x1f")[0] ?? "")).filter(Boolean);
  return {
    uploadOK: answer.upload_ok, downloadOK: answer.download_ok,
    cards: num(counts, "cards"), notes: num(counts, "notes"), reviews: num(counts, "revlog"),
    pending: report.pending, changed: num(col, "mod"), lastSync,
    serverChanged: answer.upload_loses.modified, serverChangedSince: answer.upload_loses.changed_since_last_sync,
    here: { notes: num(counts, "newNotes"), reviews: num(counts, "newReviews"), examples: firsts(rows.map((r) => String(r.flds))) },
    server: contents && { cards: contents.cards, reviews: contents.reviews, newer: { ...contents.newer, examples: firsts(contents.newer.examples) } },
  };
}

/** What a sync says that needs a choice. */
interface Answer {
  upload_ok: boolean;
  download_ok: boolean;
  upload_loses: { modified: number; changed_since_last_sync: boolean };
}

/** Syncs: where a choice is needed that changes nothing, and tells. Undefined if none is needed any more. */
async function ask(): Promise<Answer | undefined> {
  try {
    await ferry().sync();
  } catch (e) {
    const error = toError(e);
    if (error.kind !== "one_way_needed") throw error;
    return error.details as unknown as Answer;
  }
  return undefined;
}

async function choose(direction: "upload" | "download"): Promise<void> {
  if (await oneWay(direction)) {
    go("#/", { replace: true });
    say(texts.choice.done[direction]);
  }
}

function Working() {
  return (
    <>
      <Head title={texts.sync.title} />
      <Progress />
    </>
  );
}

function OneSide(p: { direction: "upload" | "download"; sides: Sides }) {
  const t = texts.choice;
  const download = p.direction === "download";
  return (
    <div class="stack">
      <Head title={download ? t.firstDownload : t.firstUpload} />
      <p>{download ? t.firstDownloadLead : t.firstUploadLead}</p>
      <div class="surface pad">{download ? <ServerFacts sides={p.sides} /> : <Facts sides={p.sides} />}</div>
      <button type="button" class="button primary big" onClick={() => void choose(p.direction)}>{download ? t.fetch : t.send}</button>
      <button type="button" class="button quiet" onClick={back}>{t.cancel}</button>
    </div>
  );
}

function TwoSides(p: { sides: Sides }) {
  const [ask, setAsk] = useState<"upload" | "download" | null>(null);
  const t = texts.choice;
  const s = p.sides;
  // A device that has never synced with this server must not replace what others rely on without good reason. Else the
  // side with something that would be lost comes first; with both, the one that changed last.
  const serverFirst = s.lastSync === 0 || s.pending === 0 || (s.serverChangedSince && s.serverChanged > s.changed);
  const sides = [
    <Server key="server" sides={s} recommended={serverFirst} onKeep={() => setAsk("download")} />,
    <Device key="device" sides={s} recommended={!serverFirst} onKeep={() => setAsk("upload")} />,
  ];
  return (
    <div class="stack">
      <Head title={t.title} />
      <p>{t.lead}</p>
      <div class="sides">{serverFirst ? sides : sides.reverse()}</div>
      <Notice icon="undo">{t.kept}</Notice>
      <button type="button" class="button big" onClick={back}>{t.cancel}</button>
      {ask && (
        <Confirm
          title={ask === "upload" ? t.keepDevice : t.keepServer} text={ask === "upload" ? t.sureDevice(s.server?.cards) : t.sureServer(s.cards, s.pending)}
          action={ask === "upload" ? t.keepDevice : t.keepServer} onYes={() => { setAsk(null); void choose(ask); }} onNo={() => setAsk(null)}
        />
      )}
    </div>
  );
}

function Facts(p: { sides: Sides }) {
  const t = texts.choice;
  const s = p.sides;
  return (
    <dl class="facts">
      <dt>{t.cards}</dt><dd>{texts.whole(s.cards)}</dd>
      <dt>{t.reviews}</dt><dd>{texts.whole(s.reviews)}</dd>
      <dt>{t.changedAt}</dt><dd>{s.changed ? texts.since(s.changed) : t.unknown}</dd>
      <dt>{t.pending}</dt><dd>{texts.whole(s.pending)}</dd>
    </dl>
  );
}

function ServerFacts(p: { sides: Sides }) {
  const t = texts.choice;
  const { server, serverChanged } = p.sides;
  return (
    <dl class="facts">
      <dt>{t.cards}</dt><dd>{server ? texts.whole(server.cards) : t.onlyThere}</dd>
      {server && <><dt>{t.reviews}</dt><dd>{texts.whole(server.reviews)}</dd></>}
      <dt>{t.changedAt}</dt><dd>{serverChanged ? texts.since(serverChanged) : t.unknown}</dd>
    </dl>
  );
}

/** What would be lost, in a sentence and examples. */
function Lost(p: { title: string; text: string; examples: readonly string[] }) {
  return (
    <div class="grow">
      <p class="label">{p.title}</p>
      <ul class="bullets"><li>{p.text}</li></ul>
      {p.examples.length > 0 && (
        <>
          <p class="small muted">{texts.choice.examples}</p>
          <ul class="bullets small">{p.examples.map((e) => <li key={e}>{e}</li>)}</ul>
        </>
      )}
    </div>
  );
}

function lostOnServer(s: Sides): string {
  const t = texts.choice;
  if (s.lastSync === 0) return s.server ? t.lostThere(s.server.cards, s.server.reviews) : t.lostServerAll;
  if (s.server && s.server.newer.notes + s.server.newer.reviews > 0) return t.lostServerNewer(s.server.newer.notes, s.server.newer.reviews);
  if (!s.serverChangedSince) return t.lostServerNothing;
  return s.server ? t.lostServerOther : t.lostServerChanges;
}

function lostHere(s: Sides): string {
  const t = texts.choice;
  if (s.lastSync === 0) return t.lostCards(s.cards, s.reviews);
  if (s.here.notes + s.here.reviews > 0) return t.lostNewer(s.here.notes, s.here.reviews);
  return s.pending > 0 ? t.lostPending(s.pending) : t.lostNothing;
}

interface SideProps {
  sides: Sides;
  recommended: boolean;
  onKeep: () => void;
}

function Device(p: SideProps) {
  const t = texts.choice;
  const s = p.sides;
  return (
    <section class={`surface side ${p.recommended ? "first" : ""}`} aria-labelledby="side-device">
      <div class="row"><Icon name="device" /><h2 class="grow" id="side-device">{t.device}</h2>{p.recommended && <span class="tag">{t.recommended}</span>}</div>
      <Facts sides={s} />
      <Lost title={t.lostServer} text={lostOnServer(s)} examples={s.server?.newer.examples ?? []} />
      <button type="button" class={`button ${p.recommended ? "primary" : ""}`} onClick={p.onKeep}>{t.keepDevice}</button>
    </section>
  );
}

function Server(p: SideProps) {
  const t = texts.choice;
  const s = p.sides;
  return (
    <section class={`surface side ${p.recommended ? "first" : ""}`} aria-labelledby="side-server">
      <div class="row"><Icon name="cloud" /><h2 class="grow" id="side-server">{t.server}</h2>{p.recommended && <span class="tag">{t.recommended}</span>}</div>
      <ServerFacts sides={s} />
      <Lost title={t.lost} text={lostHere(s)} examples={s.here.examples} />
      <button type="button" class={`button ${p.recommended ? "primary" : ""}`} onClick={p.onKeep}>{t.keepServer}</button>
    </section>
  );
}
