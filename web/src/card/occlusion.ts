// Image occlusion: covers the parts of a picture that a card asks for. The shapes are in hidden elements of the card
// (study.md §2.4), their places as fractions of the picture's size; the colours are in the card's own style. The template
// asks for it by the name that the desktop program gives it, anki.imageOcclusion.setup().

/** What covers a part: asked for now, asked for on another card, or the answer. */
type Role = "active" | "inactive" | "highlight";

/** How each role looks if the card's style does not say: fill, border. */
const LOOKS: Record<Role, readonly [string, string]> = {
  active: ["#ff8e8e", "1px #212121"],
  inactive: ["#ffeba2", "1px #212121"],
  highlight: ["#ff8e8e00", "1px #ff8e8e"],
};
const SHAPES = ".cloze[data-shape], .cloze-inactive[data-shape], .cloze-highlight[data-shape]";
/** The height of a text without one, as a part of the picture's. */
const TEXT_HEIGHT = 0.075;
/** No canvas is larger than this each way. */
const LARGEST = 4096;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The picture on the screen. */
let current: { container: HTMLElement; redraw: () => void; watcher: ResizeObserver } | undefined;

/** Makes the function known to the scripts of cards. */
export function offerOcclusion(): void {
  Object.assign(window, { anki: { imageOcclusion: { setup: occlude } } });
}

/** Covers the picture of the card, if it is one of that kind, and again whenever the picture comes or changes its size. */
export function occlude(): void {
  const container = document.getElementById("image-occlusion-container");
  if (container && current?.container === container) return current.redraw();
  current?.watcher.disconnect();
  current = undefined;
  const image = container?.querySelector("img");
  if (!container || !image) return;
  const canvas = canvasOf(container);
  let bare = false;
  const redraw = (): void => {
    draw(canvas, container, image, bare ? [] : document.querySelectorAll<HTMLElement>(SHAPES));
    container.classList.add("cardferry-covered");
  };
  document.getElementById("toggle")?.addEventListener("click", () => {
    bare = !bare;
    redraw();
  });
  image.addEventListener("load", redraw);
  const watcher = new ResizeObserver(redraw); // before the next frame, so nothing shows through
  watcher.observe(image);
  watcher.observe(container);
  current = { container, redraw, watcher };
  redraw();
}

function canvasOf(container: HTMLElement): HTMLCanvasElement {
  const present = container.querySelector("canvas");
  if (present) return present;
  const canvas = document.createElement("canvas");
  canvas.id = "image-occlusion-canvas";
  container.append(canvas);
  return canvas;
}

/** Lays the canvas over the picture and draws the shapes. */
function draw(canvas: HTMLCanvasElement, container: HTMLElement, image: HTMLImageElement, shapes: Iterable<HTMLElement>): void {
  const picture = image.getBoundingClientRect();
  const around = container.getBoundingClientRect();
  const here = image.complete && image.naturalWidth > 0; // a picture that is not here yet has nothing to cover
  const density = Math.min(devicePixelRatio, LARGEST / Math.max(picture.width, picture.height, 1));
  canvas.style.left = `${picture.left - around.left - container.clientLeft}px`;
  canvas.style.top = `${picture.top - around.top - container.clientTop}px`;
  canvas.style.width = `${picture.width}px`;
  canvas.style.height = `${picture.height}px`;
  canvas.width = Math.round(picture.width * density); // empties it
  canvas.height = Math.round(picture.height * density);
  const context = canvas.getContext("2d");
  if (!context || !here) return;
  context.scale(density, density);
  const style = getComputedStyle(canvas);
  for (const shape of shapes) {
    const role = roleOf(shape);
    if (role) drawShape(context, shape, picture, role, style);
  }
}

/** What a shape does on this side; nothing if it belongs to another card that leaves it open here. */
function roleOf(shape: HTMLElement): Role | undefined {
  if (shape.classList.contains("cloze-highlight")) return "highlight";
  if (shape.dataset.ordinal === "0") return "inactive"; // belongs to no card, and is there on all of them
  if (shape.classList.contains("cloze")) return "active";
  return shape.dataset.occludeinactive === "1" ? "inactive" : undefined;
}

function drawShape(context: CanvasRenderingContext2D, shape: HTMLElement, picture: DOMRect, role: Role, style: CSSStyleDeclaration): void {
  const box: Box = {
    left: fraction(shape, "left") * picture.width,
    top: fraction(shape, "top") * picture.height,
    width: fraction(shape, "width") * picture.width,
    height: fraction(shape, "height") * picture.height,
  };
  context.save();
  context.translate(box.left, box.top);
  context.rotate((fraction(shape, "angle") * Math.PI) / 180);
  if (shape.dataset.shape === "text") {
    write(context, shape, picture.height);
  } else {
    paint(context, outline(shape, box, picture), role, style);
  }
  context.restore();
}

/** The outline of a shape, from its left upper corner. */
function outline(shape: HTMLElement, box: Box, picture: DOMRect): Path2D {
  const path = new Path2D();
  switch (shape.dataset.shape) {
    case "ellipse": {
      const [rx, ry] = [Math.max(0, fraction(shape, "rx") * picture.width), Math.max(0, fraction(shape, "ry") * picture.height)];
      path.ellipse(rx, ry, rx, ry, 0, 0, 2 * Math.PI);
      break;
    }
    case "polygon": {
      const points = pointsOf(shape, picture);
      const left = Math.min(...points.map(([x]) => x));
      const top = Math.min(...points.map(([, y]) => y));
      for (const [x, y] of points) path.lineTo(x - left, y - top);
      path.closePath();
      break;
    }
    default:
      path.rect(0, 0, box.width, box.height);
  }
  return path;
}

function pointsOf(shape: HTMLElement, picture: DOMRect): [number, number][] {
  return (shape.dataset.points ?? "").trim().split(/\s+/).map((pair) => {
    const [x, y] = pair.split(",");
    return [(Number(x) || 0) * picture.width, (Number(y) || 0) * picture.height];
  });
}

function paint(context: CanvasRenderingContext2D, path: Path2D, role: Role, style: CSSStyleDeclaration): void {
  const [fill, border] = LOOKS[role];
  context.fillStyle = style.getPropertyValue(`--${role}-shape-color`).trim() || fill;
  context.fill(path);
  const [width, ...colour] = (style.getPropertyValue(`--${role}-shape-border`).trim() || border).split(/\s+/);
  context.lineWidth = Number.parseFloat(width ?? "") || 0;
  if (context.lineWidth <= 0 || colour.length === 0) return;
  context.strokeStyle = colour.join(" ");
  context.stroke(path);
}

/** A text of the author's, on a ground of its own to be readable on any picture. */
function write(context: CanvasRenderingContext2D, shape: HTMLElement, height: number): void {
  const size = (fraction(shape, "fontSize") || TEXT_HEIGHT) * (fraction(shape, "scale") || 1) * height;
  const lines = (shape.dataset.text ?? "").split("\n");
  context.font = `${size}px system-ui, sans-serif`;
  context.textBaseline = "top";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, Math.max(...lines.map((line) => context.measureText(line).width)), size * 1.2 * lines.length);
  context.fillStyle = "#000";
  lines.forEach((line, i) => context.fillText(line, 0, size * (0.1 + 1.2 * i)));
}

function fraction(shape: HTMLElement, name: string): number {
  const value = Number(shape.dataset[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}
