// The pieces that views are made of.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { SyncError } from "cardferry";
import { href } from "../router.ts";
import { texts, type ErrorText } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";

/** The head of a place: title, a line below it, and what stands at its right. */
export function Head(p: { title: string; line?: ComponentChildren; back?: string; onBack?: () => void; children?: ComponentChildren }) {
  const goBack = (e: Event): void => {
    if (!p.onBack) return;
    e.preventDefault();
    p.onBack();
  };
  return (
    <header class="head">
      {p.back !== undefined && (
        <a class="icon-button" href={p.back} aria-label={texts.common.back} onClick={goBack}>
          <Icon name="back" />
        </a>
      )}
      <div class="grow">
        <h1>{p.title}</h1>
        {p.line && <p>{p.line}</p>}
      </div>
      {p.children}
    </header>
  );
}

/** A button with an icon only; the label is its name for everyone else. */
export function IconButton(p: { icon: IconName; label: string; onClick: () => void; disabled?: boolean; class?: string }) {
  return (
    <button type="button" class={`icon-button ${p.class ?? ""}`} aria-label={p.label} title={p.label} onClick={p.onClick} disabled={p.disabled}>
      <Icon name={p.icon} />
    </button>
  );
}

/** Closes a dialog. If the frame of a card had the focus before, the page gets it: keys would be lost between the two. */
export function closeDialog(dialog: HTMLDialogElement | null): void {
  dialog?.close();
  if (document.activeElement instanceof HTMLIFrameElement) document.getElementById("main")?.focus({ preventScroll: true });
}

/** A sheet from below, or a dialog in the middle of a wide window. Escape and a tap beside it close it. */
export function Sheet(p: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const here = useRef(true);
  const pressed = useRef<EventTarget | null>(null);
  useLayoutEffect(() => { // other effects end when the dialog has gone, and what had the focus before it would not get it back
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      here.current = false; // that it closes now is no wish of anybody's
      closeDialog(dialog);
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class="sheet"
      aria-labelledby={id}
      onClose={() => here.current && p.onClose()}
      onPointerDown={(e) => (pressed.current = e.target)}
      onClick={(e) => e.target === ref.current && pressed.current === ref.current && p.onClose()} // not at the end of a selection that has begun in it
    >
      <header>
        <h2 id={id} class="grow">{p.title}</h2>
        <IconButton icon="close" label={texts.common.close} onClick={p.onClose} />
      </header>
      {p.children}
    </dialog>
  );
}

/** One line of a menu in a sheet. */
export function MenuItem(p: { icon: IconName; label: string; onClick: () => void; danger?: boolean }) {
  return (
    <button type="button" class={`item ${p.danger ? "danger-item" : ""}`} onClick={p.onClick}>
      <Icon name={p.icon} />
      <span class="grow">{p.label}</span>
    </button>
  );
}

/** A sheet that asks before something that cannot be taken back easily. Cancel comes first. */
export function Confirm(p: { title: string; text: string; action: string; danger?: boolean; onYes: () => void | Promise<void>; onNo: () => void }) {
  const working = useRef(false);
  const yes = async (): Promise<void> => {
    if (working.current) return; // a second tap means the same; it would fail, and say so in the place of what was done
    working.current = true;
    await p.onYes();
    working.current = false;
  };
  return (
    <Sheet title={p.title} onClose={p.onNo}>
      <div class="body stack">
        <p>{p.text}</p>
        <div class="row">
          <button type="button" class="button grow" onClick={p.onNo}>{texts.common.cancel}</button>
          <button type="button" class={`button grow ${p.danger ? "danger" : "primary"}`} onClick={() => void yes()}>{p.action}</button>
        </div>
      </div>
    </Sheet>
  );
}

/** A message in the page. */
export function Notice(p: { kind?: "bad" | "warn"; icon?: IconName; children: ComponentChildren }) {
  return (
    <div class={`notice ${p.kind ?? ""}`} role={p.kind === "bad" ? "alert" : undefined}>
      <Icon name={p.icon ?? (p.kind ? "alert" : "info")} />
      <div class="grow">{p.children}</div>
    </div>
  );
}

/** What went wrong, what is safe, what to do; the code stands small below. */
export function ErrorNotice(p: { error: Pick<SyncError, "kind" | "message" | "hint">; text?: ErrorText; children?: ComponentChildren }) {
  const text = p.text ?? texts.error(p.error.kind);
  const words = p.error.kind === "server_message" ? p.error.message : text.what;
  const way = p.children ?? (p.error.kind === "auth" && <a class="button" href={href("sign-in")}>{texts.sign.in}</a>);
  return (
    <Notice kind="bad">
      <p><strong>{words}</strong> {text.safe} {text.todo}</p>
      {way && <div class="row">{way}</div>}
      <details>
        <summary class="small">{texts.errorCode}</summary>
        <code class="mono">{p.error.kind}: {p.error.message} {p.error.hint}</code>
      </details>
    </Notice>
  );
}

/** A switch with its explanation. */
export function Switch(p: { label: string; more: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="switch">
      <span class="grow">
        <span class="label">{p.label}</span>
        <p>{p.more}</p>
      </span>
      <input type="checkbox" role="switch" checked={p.on} onChange={(e) => p.onChange(e.currentTarget.checked)} />
    </label>
  );
}

/** One of several; the choice takes effect at once. */
export function Choices<T extends string>(p: { label: string; more?: string; value: T; choices: Record<T, string>; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <fieldset class="choices item-group">
      <legend class="sr">{p.label}</legend>
      <div class="item"><div class="grow"><span class="label" aria-hidden="true">{p.label}</span>{p.more && <p>{p.more}</p>}</div></div>
      {(Object.entries(p.choices) as [T, string][]).map(([value, label]) => (
        <label key={value}>
          <input type="radio" name={name} checked={p.value === value} onChange={() => p.onChange(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A page without content. */
export function Empty(p: { icon: IconName; title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={p.icon} />
      <h2>{p.title}</h2>
      <p>{p.text}</p>
      {p.children}
    </div>
  );
}
