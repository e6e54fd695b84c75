// One field of a note: text with pictures in place, or HTML as text.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { addMedia, lookForMedia, mediaFile } from "../api.ts";
import { complain } from "../ferry.ts";
import { texts } from "../texts.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import { atOnce, decode, edited, imageHTML, isPlain, nextCloze, put, take } from "./fieldhtml.ts";

interface Props {
  name: string;
  html: string;
  onChange: (html: string) => void;
  /** All fields, for the number of the next cloze; undefined for types without. */
  cloze: readonly string[] | undefined;
  autofocus?: boolean;
}

/** A field with its tools. */
export function FieldBox(p: Props) {
  const [asText, setAsText] = useState(() => !isPlain(p.html));
  const box = useRef<HTMLElement | null>(null);
  const id = `field-${p.name}`;
  // The attribute of that name is of no use: the page already has the focus somewhere.
  useEffect(() => {
    if (p.autofocus) box.current?.focus();
  }, []);
  const insert = (html: string): void => {
    const e = box.current;
    if (!e) return;
    if (e instanceof HTMLTextAreaElement) e.setRangeText(html, e.selectionStart, e.selectionEnd, "end");
    else insertInto(e, html);
    e.focus();
    e.dispatchEvent(new Event("input")); // as if typed: what waited for a file does not know what the note has by now
  };
  const file = async (blob: File): Promise<void> => {
    try {
      const name = await addMedia(blob);
      insert(blob.type.startsWith("audio/") || blob.type.startsWith("video/") ? `[sound:${name}]` : imageHTML(name));
    } catch (e) {
      complain(e);
    }
  };
  return (
    <div class="field">
      <div class="field-head">
        <span class="label" id={id}>{p.name}</span>
        {p.cloze && <Tool icon="edit" label={texts.note.cloze} onClick={() => insert(`{{c${nextCloze(p.cloze ?? [])}::${selected(box.current)}}}`)} />}
        <FileTool icon="image" label={texts.note.picture} accept="image/*" onFile={file} />
        <FileTool icon="camera" label={texts.note.camera} accept="image/*" capture onFile={file} />
        <FileTool icon="sound" label={texts.note.sound} accept="audio/*,video/*" onFile={file} />
      </div>
      {asText ? (
        <>
          <textarea ref={box as never} class="input mono" aria-labelledby={id} value={p.html} onInput={(e) => p.onChange(e.currentTarget.value)} />
          <p class="hint">{texts.note.asText} {isPlain(p.html) && <button type="button" class="link" onClick={() => setAsText(false)}>{texts.note.asRich}</button>}</p>
        </>
      ) : (
        <Rich {...p} labelledby={id} box={box} onFile={file} />
      )}
    </div>
  );
}

/** The HTML of what is selected in a field. */
function selected(e: HTMLElement | null): string {
  if (e instanceof HTMLTextAreaElement) return e.value.slice(e.selectionStart, e.selectionEnd);
  const s = getSelection();
  return s && e && s.rangeCount > 0 && e.contains(s.anchorNode) ? take(s.getRangeAt(0).cloneContents()) : "";
}

/** Puts HTML at the cursor. The old command is the only one that keeps the browser's own undo. */
function insertInto(e: HTMLElement, html: string): void {
  const s = getSelection();
  if (!s || s.rangeCount === 0 || !e.contains(s.anchorNode)) {
    s?.selectAllChildren(e);
    s?.collapseToEnd();
  }
  const content = edited(html);
  for (const image of content.querySelectorAll("img")) void showImage(image, image.dataset.name ?? "");
  const last = content.lastChild;
  const range = getSelection()?.getRangeAt(0);
  range?.deleteContents();
  atOnce(e, () => range?.insertNode(content));
  if (last) getSelection()?.setPosition(last.parentNode, [...(last.parentNode?.childNodes ?? [])].indexOf(last) + 1);
}

function Rich(p: Props & { labelledby: string; box: { current: HTMLElement | null }; onFile: (f: File) => Promise<void> }) {
  const own = useRef(p.html);
  useLayoutEffect(() => { // before the first paint, so that nothing below jumps
    const e = p.box.current;
    if (!e || (own.current === p.html && e.childNodes.length > 0)) return;
    own.current = p.html;
    put(p.html, e, (image, name) => void showImage(image, name));
  }, [p.html]);
  const input = (): void => {
    const e = p.box.current;
    if (!e) return;
    own.current = take(e);
    p.onChange(own.current);
  };
  /** Takes the files that were pasted or dropped, if there are some for a note. */
  const takeFiles = (e: Event, data: DataTransfer | null): boolean => {
    e.preventDefault(); // foreign HTML stays out
    const files = [...(data?.files ?? [])].filter((f) => /^(image|audio|video)\//.test(f.type));
    void (async () => { for (const f of files) await p.onFile(f); })();
    return files.length > 0;
  };
  const paste = (e: ClipboardEvent): void => {
    if (takeFiles(e, e.clipboardData)) return;
    const text = e.clipboardData?.getData("text/plain") ?? "";
    const e2 = p.box.current;
    if (text && e2) {
      const html = text.split(/\r?\n/).map((line) => line.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)).join("<br>");
      insertInto(e2, html);
      input();
    }
  };
  return (
    <div
      ref={p.box as never} class="editable" dir="auto" contentEditable role="textbox" aria-multiline="true" aria-labelledby={p.labelledby} tabIndex={0}
      onInput={input} onPaste={paste} onDrop={(e) => void takeFiles(e, e.dataTransfer)}
    />
  );
}

/** Shows a picture of a note in the editor, or what is known of it. */
async function showImage(image: HTMLImageElement, src: string): Promise<void> {
  const name = decode(src);
  try {
    const blob = await mediaFile(name);
    image.src = URL.createObjectURL(blob);
    image.alt = image.dataset.alt || name;
    image.classList.remove("absent");
  } catch {
    image.classList.add("absent");
    const state = await lookForMedia(name).catch(() => "missing");
    image.alt = state === "missing" ? texts.note.missing(name) : `${name}: ${texts.media.placeholder}`;
  }
}

function Tool(p: { icon: IconName; label: string; onClick: () => void }) {
  // The cursor must stay in the field, so the button does not take the focus.
  return (
    <button type="button" class="icon-button" aria-label={p.label} title={p.label} onMouseDown={(e) => e.preventDefault()} onClick={p.onClick}>
      <Icon name={p.icon} />
    </button>
  );
}

function FileTool(p: { icon: IconName; label: string; accept: string; capture?: boolean; onFile: (f: File) => Promise<void> }) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = async (e: HTMLInputElement): Promise<void> => {
    for (const f of e.files ?? []) await p.onFile(f);
    e.value = "";
  };
  return (
    <>
      <Tool icon={p.icon} label={p.label} onClick={() => input.current?.click()} />
      <input ref={input} type="file" accept={p.accept} capture={p.capture ? "environment" : undefined} hidden onChange={(e) => void chosen(e.currentTarget)} />
    </>
  );
}
