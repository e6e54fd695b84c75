// @ts-check
// Builds dist/, which `cardferry serve` serves at /: the page, its script and styles, the service worker, the files of
// the package cardferry, MathJax and the icons. Names carry a hash of their content, so that they can be kept for ever;
// index.html, sw.js, frame.html and the manifest keep their names and are asked for again.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { iconPNG } from "./icon.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
/** @type {esbuild.BuildOptions} */
const common = { bundle: true, format: "esm", target: "es2022", minify: true, logLevel: "warning", absWorkingDir: here };

/**
 * Copies a file of a package under a name with its hash, and returns that name.
 * @param {string} from @param {string} stem @param {string} ext
 */
function copyHashed(from, stem, ext) {
  const content = readFileSync(from);
  const name = `${stem}-${createHash("sha256").update(content).digest("hex").slice(0, 10)}${ext}`;
  writeFileSync(join(dist, name), content);
  return name;
}

/** Returns the script of the card frame as text: it runs inside the frame, which cannot load anything. */
async function frameScript() {
  const r = await esbuild.build({ ...common, format: "iife", entryPoints: ["src/card/inside.ts"], write: false });
  return r.outputFiles[0]?.text ?? "";
}

/** Builds page and styles; returns their names. @param {Record<string, string>} assets */
async function buildPage(assets) {
  const result = await esbuild.build({
    ...common,
    entryPoints: { app: "src/main.tsx" },
    outdir: "dist",
    entryNames: "[name]-[hash]",
    metafile: true,
    sourcemap: process.argv.includes("--debug") && "inline",
    minify: !process.argv.includes("--debug"),
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { __ASSETS__: JSON.stringify(assets), __FRAME_SCRIPT__: JSON.stringify(await frameScript()) },
  });
  const names = Object.keys(result.metafile.outputs).map((name) => name.replace(/^dist\//, ""));
  return { script: found(names, ".js"), style: found(names, ".css") };
}

/** @param {string[]} names @param {string} ext */
function found(names, ext) {
  const name = names.find((n) => n.endsWith(ext));
  if (!name) throw new Error(`no ${ext} was built`);
  return name;
}

/** Builds the service worker, which keeps these files. @param {string[]} files */
async function buildServiceWorker(files) {
  const version = createHash("sha256");
  for (const name of files) version.update(name).update(readFileSync(join(dist, name || "index.html")));
  await esbuild.build({
    ...common,
    entryPoints: { sw: "src/sw.ts" },
    outdir: "dist",
    define: { __FILES__: JSON.stringify(files), __VERSION__: JSON.stringify(version.digest("hex").slice(0, 12)) },
  });
}

/** Writes a packed copy beside each file that gets smaller. */
function compress() {
  for (const name of readdirSync(dist)) {
    if (/\.(png|map)$/.test(name)) continue;
    const content = readFileSync(join(dist, name));
    const packed = gzipSync(content, { level: 9 });
    if (packed.length < content.length * 0.9) writeFileSync(join(dist, `${name}.gz`), packed);
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const ferry = join(here, "node_modules", "cardferry", "dist");
const assets = {
  core: copyHashed(join(ferry, "core.wasm"), "core", ".wasm"),
  sqlite: copyHashed(join(ferry, "sqlite3.wasm"), "sqlite3", ".wasm"),
  zstd: copyHashed(join(ferry, "zstd.wasm"), "zstd", ".wasm"),
  worker: copyHashed(join(ferry, "worker.js"), "worker", ".js"),
  mathjax: copyHashed(join(here, "node_modules", "mathjax", "es5", "tex-svg-full.js"), "mathjax", ".js"),
};
const { script, style } = await buildPage(assets);
const page = readFileSync(join(here, "src", "index.html"), "utf8");
writeFileSync(join(dist, "index.html"), page.replace("{{script}}", script).replace("{{style}}", style));
for (const name of ["frame.html", "manifest.webmanifest", "icon.svg"]) cpSync(join(here, "src", name), join(dist, name));
for (const size of [180, 192, 512]) writeFileSync(join(dist, `icon-${size}.png`), iconPNG(size));
for (const name of ["worker.js.LEGAL.txt", "zstd.wasm.LEGAL.txt"]) cpSync(join(ferry, name), join(dist, name)); // the worker names its own
const icons = ["icon.svg", "icon-180.png", "icon-192.png", "icon-512.png"];
await buildServiceWorker(["", "frame.html", "manifest.webmanifest", script, style, ...Object.values(assets), ...icons]);
compress();
