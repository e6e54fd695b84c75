// The HTML of a field in the editor. A field may hold anything, and the editor is part of the app's page, so only plain
// formatting is edited in place; a field with more is edited as text. Nothing is ever dropped.

/** What is edited in place: elements, and the attributes that each may have. */
const PLAIN: Record<string, readonly string[]> = {
  B: [], STRONG: [], I: [], EM: [], U: [], S: [], SUB: [], SUP: [], BR: [], DIV: [], P: [], SPAN: [], UL: [], OL: [], LI: [], HR: [], CODE: [], PRE: [],
  BLOCKQUOTE: [], RUBY: [], RB: [], RT: [], RP: [], TABLE: [], TBODY: [], THEAD: [], TR: [], TD: [], TH: [], H1: [], H2: [], H3: [],
  IMG: ["src", "alt", "width", "height"],
};

/** Elements of this document load nothing, wherever they stand. Those of the page's do as soon as they have an address. */
const inert = document.createElement("template").content.ownerDocument;

/** Parses HTML so that nothing in it is loaded or run. */
export function parse(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Whether a field has plain formatting only. */
export function isPlain(html: string): boolean {
  const content = parse(html);
  if (serialize(content) !== html) return false; // a browser would write it otherwise
  for (const e of content.querySelectorAll("*")) {
    const allowed = PLAIN[e.tagName];
    if (!allowed) return false;
    for (const a of e.attributes) if (!allowed.includes(a.name)) return false;
    if (e instanceof HTMLImageElement && /^([a-z][a-z0-9+.-]*:|\/\/)/i.test(e.getAttribute("src") ?? "")) return false;
  }
  return true;
}

function serialize(content: DocumentFragment): string {
  const box = document.createElement("template"); // outside of one, pictures would load and handlers be looked at
  box.content.append(content.cloneNode(true));
  return box.innerHTML;
}

/** Plain HTML as it is edited: each picture keeps its name beside the address that it is shown from. */
export function edited(html: string): DocumentFragment {
  const content = parse(html);
  for (const image of content.querySelectorAll("img")) {
    const name = image.getAttribute("src") ?? "";
    image.removeAttribute("src");
    image.dataset.name = name;
    if (image.alt) image.dataset.alt = image.alt;
    image.alt ||= name;
  }
  return content;
}

/** Puts a plain field into an element. */
export function put(html: string, into: HTMLElement, show: (image: HTMLImageElement, name: string) => void): void {
  atOnce(into, () => into.replaceChildren(edited(html)));
  for (const image of into.querySelectorAll("img")) show(image, image.dataset.name ?? "");
}

/**
 * Changes much of an element. While its direction is that of its text, Chromium looks for that among all nodes again with each one that comes: of 60,000
 * that takes half a minute.
 */
export function atOnce(e: HTMLElement, change: () => void): void {
  const { dir } = e;
  e.dir = "";
  change();
  e.dir = dir;
}

/** Takes the field out again. */
export function take(from: ParentNode & Node): string {
  const copy = inert.createElement("div"); // not a copy of the element itself, for the sake of its direction
  for (const node of from.childNodes) copy.append(inert.importNode(node, true));
  for (const image of copy.querySelectorAll("img")) {
    const { name, alt } = image.dataset;
    for (const a of [...image.attributes]) if (!["width", "height"].includes(a.name)) image.removeAttribute(a.name);
    if (name !== undefined) image.setAttribute("src", name);
    if (alt) image.setAttribute("alt", alt);
  }
  const html = copy.innerHTML;
  return html === "<br>" ? "" : html; // what a browser leaves in an emptied box
}

const SOUND = /\[sound:([^\]]+)\]/g;

/** What a name means that stands in the text of a field, where & is written as an entity. */
function textOf(html = ""): string {
  return parse(html).textContent ?? "";
}

/** The names of the pictures and sounds of a field. */
export function mediaNames(html: string): string[] {
  const images = [...parse(html).querySelectorAll("img")].map((i) => decode(i.getAttribute("src") ?? ""));
  const sounds = [...html.matchAll(SOUND)].map((m) => textOf(m[1]));
  return [...images, ...sounds].filter(Boolean);
}

/** The field without a picture or sound. */
export function without(html: string, name: string): string {
  const content = parse(html);
  for (const image of content.querySelectorAll("img")) if (decode(image.getAttribute("src") ?? "") === name) image.remove();
  return serialize(content).replace(SOUND, (whole, sound: string) => (textOf(sound) === name ? "" : whole));
}

/** The name that an attribute means. */
export function decode(src: string): string {
  try {
    return decodeURIComponent(src);
  } catch {
    return src;
  }
}

/** The HTML of a picture. */
export function imageHTML(name: string): string {
  const image = inert.createElement("img");
  image.setAttribute("src", name.replace(/[%?#]/g, encodeURIComponent));
  return image.outerHTML;
}

/** The numbers of the clozes; one may have several, as in c1,2. */
export function clozeNumbers(fields: readonly string[]): number[] {
  return fields.flatMap((f) => [...f.matchAll(/\{\{c(\d[\d,]*)::/g)].flatMap((m) => (m[1] ?? "").split(",").map(Number)));
}

/** The number of the next cloze. */
export function nextCloze(fields: readonly string[]): number {
  return Math.max(0, ...clozeNumbers(fields)) + 1;
}
