// The script inside the frame of a card. It runs in a document of its own, without the app's origin, and shares it with
// whatever scripts the card brings. Files come from the app as blobs: the service worker does not see this frame.

import { guard } from "./guard.ts";
import type { FrameLabels, FromFrame, ToFrame } from "./messages.ts";
import { occlude, offerOcclusion } from "./occlusion.ts";

/** The attributes that name a media file, with their elements. */
const FILE_ATTRIBUTES = [
  ["img, audio, video, source, script, input", "src"], ["video", "poster"], ["image", "xlink:href"], ["image", "href"],
] as const;
/** A scheme makes an address; everything else is the name of a file. */
const ADDRESS = /^([a-z][a-z0-9+.-]*:|\/\/)/i;
const CSS_FILE = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^)'"\s]*))\s*\)/gi;

/** How long a card waits for its pictures before it is shown without them, in milliseconds. */
const PICTURE_PATIENCE = 150;
/** How long the scripts of a card wait for the file of one before them. */
const SCRIPT_PATIENCE = 2000;

interface MathJaxGlobal {
  typesetPromise?: (elements: Element[]) => Promise<void>;
  [name: string]: unknown;
}

const files = new Map<string, string>(); // blob addresses by name
const sources = new WeakMap<Element, string>(); // the names of the files of scripts
const waiting = new Map<string, Set<(url: string | null, state: string) => void>>();
const style = document.createElement("style");
const night = document.createElement("style");
let port: MessagePort;
let labels: FrameLabels;
let css = "";

const qa = document.createElement("div");
qa.id = "qa";

guard();
offerOcclusion();
addEventListener("message", function first(e: MessageEvent) {
  if (!e.ports[0]) return;
  removeEventListener("message", first);
  port = e.ports[0];
  port.onmessage = (m: MessageEvent<ToFrame>) => void receive(m.data);
  document.head.append(style, night);
  document.body.append(qa);
});

// Taken aside before scripts of the card run: whoever has the port could answer the card.
const apply = Reflect.apply;
const post = MessagePort.prototype.postMessage;

function send(message: FromFrame): void {
  apply(post, port, [message]);
}

async function receive(m: ToFrame): Promise<void> {
  switch (m.type) {
    case "show":
      return show(m);
    case "file":
      return arrived(m);
    case "mathjax":
      return startMathJax(m.script);
    case "night":
      return setNight(m.on);
    case "focus":
      return void (document.getElementById("typeans") ?? document.body).focus({ preventScroll: true });
  }
}

/** Shows a side. The scripts of its HTML run, in their order, as in any page. */
async function show(m: Extract<ToFrame, { type: "show" }>): Promise<void> {
  labels = m.labels;
  const isNight = document.body.classList.contains("nightMode");
  document.body.className = m.classes;
  setNight(isNight);
  css = m.css;
  const template = document.createElement("template"); // nothing is loaded or run in here
  template.innerHTML = buttons(m.html);
  const scripts = [...template.content.querySelectorAll("script")];
  const names = new Set([...prepare(template.content), ...prepareStyles(template.content), ...prepareSheets(template.content), ...cssNames(css)]);
  names.forEach((name) => files.has(name) && names.delete(name));
  setStyle();
  qa.replaceChildren(template.content);
  const told = new Map([...names].map((name) => [name, answered(name)]));
  if (names.size > 0) {
    send({ type: "need", names: [...names] });
    await Promise.race([Promise.all(told.values()), new Promise((r) => setTimeout(r, PICTURE_PATIENCE))]);
  }
  typeBox();
  for (const script of scripts) {
    const name = sources.get(script) ?? "";
    await Promise.race([told.get(name), new Promise((r) => setTimeout(r, SCRIPT_PATIENCE))]); // those behind it may need it
    if (!name || files.has(name)) await run(script);
    else whenHere(name, (url) => url !== null && script.isConnected && void run(script)); // it is still syncing, or missing: the others do not wait
  }
  occlude(); // also where the template does not ask for it
  if (/\\\(|\\\[/.test(qa.textContent ?? "")) await typeset();
  document.getElementById("answer")?.scrollIntoView();
  send({ type: "shown" });
}

/** Replaces the places of sounds by buttons. */
function buttons(html: string): string {
  return html.replace(/\[anki:play:([qa]):(\d{1,3})\]/g, (_, side: string, index: string) =>
    `<a class="replay-button soundLink" href="#" role="button" data-play="${side}:${index}" aria-label="${escape(labels.play)}">` +
    `<svg class="playImage" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="29"/><path d="M26 20.500 46 32 26 43.500z"/></svg></a>`);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** What would do nothing here but get in the way. */
const USELESS = "iframe, frame, object, embed, base, meta[http-equiv]";

/** Takes the names of files out of the elements, and puts each in when it comes. Returns the names. */
function prepare(root: ParentNode): string[] {
  const names: string[] = [];
  for (const element of root.querySelectorAll(USELESS)) element.remove();
  for (const element of root.querySelectorAll("[srcset]")) element.removeAttribute("srcset"); // it would come before src
  for (const [selector, attribute] of FILE_ATTRIBUTES) {
    for (const element of root.querySelectorAll(selector)) names.push(...prepareFile(element, attribute));
  }
  return names;
}

/** Does so with one attribute. */
function prepareFile(element: Element, attribute: string): string[] {
  const value = element.getAttribute(attribute);
  if (!value || /^(data|blob):/i.test(value)) return [];
  element.removeAttribute(attribute);
  if (ADDRESS.test(value)) {
    if (element instanceof HTMLImageElement) placeholder(element, labels.outside);
    return [];
  }
  const name = decoded(value);
  if (element instanceof HTMLScriptElement) sources.set(element, name);
  whenHere(name, (url, state) => {
    if (url !== null) {
      element.setAttribute(attribute.replace("xlink:", ""), url); // with its namespace it could not be set like this
      if (element instanceof HTMLImageElement) shown(element);
    } else if (element instanceof HTMLImageElement) placeholder(element, state === "missing" ? `${name}: ${labels.missing}` : labels.coming);
  });
  return [name];
}

/** Puts the files into the styles that the HTML has, as they come. Returns the names. */
function prepareStyles(root: ParentNode): string[] {
  return [...root.querySelectorAll("style, [style]")].flatMap((element) => {
    const own = element instanceof HTMLStyleElement;
    const text = (own ? element.textContent : element.getAttribute("style")) ?? "";
    const names = cssNames(text);
    const put = (): void => {
      if (own) element.textContent = withFiles(text);
      else element.setAttribute("style", withFiles(text));
    };
    if (names.length > 0) put();
    for (const name of names) whenHere(name, put);
    return names;
  });
}

/** Takes the style sheets out of a card. Each comes back as a style when its file is here: links could do more. Returns the names. */
function prepareSheets(root: ParentNode): string[] {
  const names: string[] = [];
  for (const link of root.querySelectorAll("link, param[rel]")) {
    const href = link.getAttribute("href") ?? "";
    const sheet = document.createElement("style");
    link.replaceWith(sheet);
    if (!href || ADDRESS.test(href) || !/\bstylesheet\b/i.test(link.getAttribute("rel") ?? "")) continue;
    const name = decoded(href);
    names.push(name);
    whenHere(name, (url) => url !== null && (sheet.textContent = `@import url("${url}");`));
  }
  return names;
}

/** What an attribute means: a browser would decode it. Names of files are composed. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value).normalize("NFC");
  } catch {
    return value.normalize("NFC");
  }
}

function placeholder(image: HTMLImageElement, text: string): void {
  if (!image.dataset.alt) image.dataset.alt = image.alt || " ";
  image.alt = text;
  image.classList.add("cardferry-absent");
}

function shown(image: HTMLImageElement): void {
  image.alt = (image.dataset.alt ?? "").trim();
  image.classList.remove("cardferry-absent");
}

/** Resolves when the app has said something about a file. */
function answered(name: string): Promise<void> {
  return new Promise((resolve) => whenHere(name, () => resolve()));
}

function whenHere(name: string, act: (url: string | null, state: string) => void): void {
  const url = files.get(name);
  if (url !== undefined) return act(url, "here");
  const set = waiting.get(name) ?? new Set();
  set.add(act);
  waiting.set(name, set);
}

function arrived(m: Extract<ToFrame, { type: "file" }>): void {
  const acts = [...(waiting.get(m.name) ?? [])];
  if (m.state === "here") {
    const url = URL.createObjectURL(m.blob);
    files.set(m.name, url);
    waiting.delete(m.name);
    for (const act of acts) act(url, "here");
    if (css.includes("url(")) setStyle();
  } else {
    for (const act of acts) act(null, m.state);
  }
}

function cssNames(text: string): string[] {
  return [...text.matchAll(CSS_FILE)].map((m) => m[1] ?? m[2] ?? m[3] ?? "").filter((v) => v && !inDocument(v)).map(decoded);
}

/** Whether what a style names is no file: an address, or a part of the card, as a gradient is. */
function inDocument(value: string): boolean {
  return ADDRESS.test(value) || value.startsWith("#");
}

/** A style with the addresses of its files. */
function withFiles(text: string): string {
  return text.replace(CSS_FILE, (whole, a?: string, b?: string, c?: string) => {
    const value = a ?? b ?? c ?? "";
    return inDocument(value) ? whole : `url("${files.get(decoded(value)) ?? "data:,"}")`;
  });
}

function setStyle(): void {
  style.textContent = withFiles(css);
}

/** Runs a script of the card: those that come through innerHTML do not run by themselves. One that names a file waits for it. */
async function run(old: HTMLScriptElement): Promise<void> {
  const script = document.createElement("script");
  for (const { name, value } of old.attributes) script.setAttribute(name, value);
  script.textContent = old.textContent;
  const loads = script.src ? new Promise((done) => (script.onload = script.onerror = done)) : null;
  old.replaceWith(script);
  await loads;
}

/** Prepares the box of a type-in answer: Enter shows the answer. */
function typeBox(): void {
  const box = document.getElementById("typeans");
  if (!(box instanceof HTMLInputElement)) return;
  box.setAttribute("aria-label", labels.type);
  box.autocomplete = "off";
  box.autocapitalize = "off";
  box.spellcheck = false;
  box.oninput = () => send({ type: "typed", text: box.value });
}

let mathJax: ((value: unknown) => void) | undefined;

async function typeset(): Promise<void> {
  const w = window as unknown as { MathJax?: MathJaxGlobal };
  if (!w.MathJax?.typesetPromise) {
    w.MathJax = {
      startup: { typeset: false },
      tex: { inlineMath: [["\\(", "\\)"]], displayMath: [["\\[", "\\]"]], processEscapes: false },
      options: { enableMenu: false, renderActions: { assistiveMml: [] } },
      svg: { fontCache: "local" },
    };
    send({ type: "mathjax" });
    await new Promise((done) => (mathJax = done));
  }
  await w.MathJax?.typesetPromise?.([qa]).catch(() => undefined); // what is no formula stays as it is
}

function startMathJax(code: Blob): void {
  const script = document.createElement("script");
  script.src = URL.createObjectURL(code);
  script.onload = script.onerror = () => mathJax?.(undefined);
  document.head.append(script);
}

function setNight(on: boolean): void {
  for (const name of ["nightMode", "night_mode"]) document.body.classList.toggle(name, on);
  document.documentElement.classList.toggle("night-mode", on);
  // More than a card's own .card, less than its .card.nightMode.
  night.textContent = on ? "html { color-scheme: dark; } body.nightMode { color: #E9EDF2; background-color: #1A2129; } .nightMode a { color: #6FB1F2; }" : "";
}

/** What Enter and the space key press. */
const PRESSED = "a, button, summary";

addEventListener("keydown", (e: KeyboardEvent) => {
  if (!e.isTrusted || e.defaultPrevented || e.altKey || e.isComposing) return;
  const inBox = e.target instanceof HTMLElement && (e.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName));
  if (inBox && e.key !== "Enter" && e.key !== "Escape") return;
  const onLink = e.target instanceof HTMLElement && e.target.closest(PRESSED);
  if (onLink && (e.key === "Enter" || e.key === " ")) return;
  if (e.key === " ") e.preventDefault();
  if (!e.repeat) send({ type: "key", key: e.key, ctrl: e.ctrlKey || e.metaKey, shift: e.shiftKey });
});

addEventListener("click", (e) => {
  // With the mouse it is done: the space key means the card again, and not the sound that was just heard.
  if (e.detail > 0 && e.target instanceof Element) e.target.closest<HTMLElement>(PRESSED)?.blur();
  const link = e.target instanceof Element ? e.target.closest("a, area") : null;
  const to = link?.getAttribute("href") ?? link?.getAttribute("xlink:href");
  if (!link || typeof to !== "string") return;
  const done = e.defaultPrevented;
  e.preventDefault(); // it would lead out of this document, also to what stands after #: the card would be gone
  if (!e.isTrusted) return; // scripts of the card click in vain
  const [side, index] = (link.getAttribute("data-play") ?? "").split(":");
  if (side === "q" || side === "a") send({ type: "play", side, index: Number(index) });
  else if (/^https?:/i.test(to)) send({ type: "link", url: to });
  else if (!done) follow(to);
});

/** Goes to a place of the card, or runs the script of an address. */
function follow(to: string): void {
  const [, scheme, rest = ""] = /^\s*(#|javascript:)(.*)/is.exec(to) ?? [];
  if (scheme === "#") document.getElementById(decoded(rest))?.scrollIntoView();
  else if (scheme) document.head.append(Object.assign(document.createElement("script"), { textContent: decoded(rest) }));
}
