// @ts-check
// Builds dist/: the page API, the worker with SQLite, the .wasm files and the types; and dist/test/, which is not
// published: the tests for Node and for Chromium, and the host for Node that other tests run. With --test only the latter.
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

/**
 * zstd-js has the zstd library, compiled to WebAssembly, as base64 in a module with the loader of emscripten. Only the file is taken: the loader
 * is 100 kB, and few pages need the library at once.
 * @param {string} folder
 */
function copyZstd(folder) {
  const from = dirname(fileURLToPath(import.meta.resolve("@oneidentity/zstd-js/package.json")));
  const [found, ...more] = readFileSync(join(from, "wasm", "index.js"), "utf8").matchAll(/"data:application\/octet-stream;base64,([A-Za-z0-9+/=]+)"/g);
  if (!found?.[1] || more.length > 0) throw new Error("zstd-js has not one .wasm file, as expected");
  const file = Buffer.from(found[1], "base64");
  const module = new WebAssembly.Module(file);
  const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name).sort();
  const used = [ // src/zstd.ts
    "memory", "malloc", "__wasm_call_ctors", "ZSTD_createDStream", "ZSTD_freeDStream", "ZSTD_decompressStream_simpleArgs",
    "ZSTD_createCStream", "ZSTD_freeCStream", "ZSTD_CCtx_setParameter", "ZSTD_compressStream2_simpleArgs",
  ];
  if (!used.every((name) => exports.includes(name)) || String(imports) !== "emscripten_memcpy_big,emscripten_resize_heap,setTempRet0") {
    throw new Error(`zstd-js exports ${exports} and imports ${imports}, which is not as expected`);
  }
  writeFileSync(join(folder, "zstd.wasm"), file);
  const licenses = [join(here, "zstd.LICENSE.txt"), join(from, "LICENSE")].map((path) => readFileSync(path, "utf8"));
  writeFileSync(join(folder, "zstd.wasm.LEGAL.txt"), licenses.join("\n"));
}

/** @type {esbuild.BuildOptions} */
const common = { bundle: true, format: "esm", target: "es2022", logLevel: "warning", absWorkingDir: here };

/**
 * SQLite's loader names files of VFSs and workers that are not used. A bundler of an app that uses this package takes
 * `new URL("…", import.meta.url)` for a file that must be there, so they are written in another way.
 * @type {esbuild.Plugin}
 */
const withoutUnusedFiles = {
  name: "without-unused-files",
  setup(build) {
    build.onLoad({ filter: /sqlite-wasm[\\/].*\.mjs$/ }, ({ path }) => ({
      contents: [withoutCheck, withoutUnused, withoutHalfMade, withModulesOnce].reduce((text, change) => change(text), readFileSync(path, "utf8")).replace(
        /new URL\((["'][^"']+["']),\s*import\.meta\.url\)/g,
        "new URL($1, globalThis.location.href)",
      ),
      loader: "js",
    }));
  },
};

/**
 * The pool of SQLite makes and removes a file before it opens its own, to find browsers of 2022 in which handles close asynchronously:
 * a third of what it takes, on every start. Engine.opfs refuses browsers that are too old.
 * @param {string} text
 */
function withoutCheck(text) {
  const called = "apiVersionCheck().then(";
  if (text.split(called).length > 2) throw new Error("sqlite-wasm checks the browser at more places than one");
  return text.replace(called, "Promise.resolve().then(");
}

/**
 * The VFSs that are disabled when SQLite is loaded (src/sqlite.ts), the objects oo1, and the API of a worker that nobody starts here are a
 * third of all JavaScript: what installs them ends at once, so esbuild leaves it out. Where SQLite's text is another one nothing changes.
 * @param {string} text
 */
function withoutUnused(text) {
  const disabled = /if \((!sqlite3\.opfs \|\| )?sqlite3\.config\.disable\?\.vfs\?\.(kvvfs|opfs( && sqlite3\.config\.disable\.vfs\["opfs-vfs"\])?|\["opfs-wl"\])\) return;/g;
  const worker = /(?<=\(function\(sqlite3\) \{\s*)(?=const util = sqlite3\.util;\s*sqlite3\.initWorker1API = )/;
  const oo1 = /(?<=\(function\(sqlite3\) \{\s*)(?=const toss3 = [^}]*\};\s*const capi = sqlite3\.capi, wasm = sqlite3\.wasm, util = sqlite3\.util;\s*sqlite3\.__isUnderTest )/;
  return text.replace(disabled, "return;").replace(worker, "return;").replace(oo1, "return;");
}

/**
 * SQLite calls a function of JavaScript through a module of WebAssembly that is compiled for it: here once for all of a signature, of
 * which the methods of the pool have few, and every start compiles them. Where SQLite's text is another one nothing changes.
 * @param {string} text
 */
function withModulesOnce(text) {
  return text.replace(
    "new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wasmCode)),",
    "new WebAssembly.Instance((_.modules ??= {})[sig] ??= new WebAssembly.Module(new Uint8Array(wasmCode)),",
  );
}

/**
 * The pool counts a slot that could not be made for want of space as one that is free. After some of them no file could be made, also with space again, until
 * the worker ended.
 * @param {string} text
 */
function withoutHalfMade(text) {
  const made = /this\.#mapSAHToName\.set\(ah, name\);\s*this\.setAssociatedPath\(ah, "", 0\);(?=\s*\}\s*return this\.getCapacity)/;
  return text.replace(made, `try {
    this.setAssociatedPath(ah, "", 0);
  } catch (e) {
    ah.close();
    await this.#dhOpaque.removeEntry(name).catch(() => {});
    throw e;
  }
  this.#mapSAHToName.set(ah, name);`);
}

/**
 * Entries beside the main one take it as it lies in dist/, so that an app that uses several has it once.
 * @type {esbuild.Plugin}
 */
const withMainOutside = {
  name: "with-main-outside",
  setup(build) {
    build.onResolve({ filter: /^\.\/index\.ts$/ }, () => ({ path: "./index.js", external: true }));
  },
};

/** Builds what is published. */
async function buildPackage() {
  const core = join(here, "..", "build", "core.wasm");
  if (!existsSync(core)) throw new Error(`${core} is missing: run make build/core.wasm`);
  mkdirSync(dist, { recursive: true });
  await esbuild.build({
    ...common,
    entryPoints: ["src/index.ts", "src/worker.ts"],
    outdir: "dist",
    platform: "browser",
    minify: true,
    legalComments: "linked",
    sourcemap: "external", // not published, so nothing published names it
    plugins: [withoutUnusedFiles],
    logOverride: { "empty-import-meta": "silent" },
  });
  await esbuild.build({ ...common, entryPoints: ["src/sw.ts"], outdir: "dist", platform: "browser", minify: true });
  await esbuild.build({
    ...common,
    entryPoints: ["src/react.ts", "src/sync-button.ts", "src/webview.ts"],
    outdir: "dist",
    platform: "browser",
    minify: true,
    external: ["react"],
    plugins: [withMainOutside],
  });
  // Not a module: an app's service worker can import it with importScripts.
  await esbuild.build({ ...common, entryPoints: ["src/serviceWorker.ts"], outdir: "dist", platform: "browser", minify: true, format: "iife" });
  copyFileSync(core, join(dist, "core.wasm"));
  const sqlite = fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"));
  copyFileSync(sqlite, join(dist, "sqlite3.wasm"));
  copyZstd(dist);
  // hash-wasm names its license only, and that asks for its text.
  appendFileSync(join(dist, "worker.js.LEGAL.txt"), `\n${readFileSync(fileURLToPath(import.meta.resolve("hash-wasm/LICENSE")), "utf8")}`);
  copyFileSync(join(here, "..", "LICENSE"), join(dist, "LICENSE.txt"));
  buildTypes();
}

/** Writes the declarations. Their imports end in .js, as a user's compiler expects. */
function buildTypes() {
  const types = join(dist, "types");
  rmSync(types, { recursive: true, force: true });
  const tsc = join(here, "node_modules", ".bin", "tsc");
  execFileSync(tsc, ["-p", "tsconfig.types.json"], { cwd: here, stdio: "inherit" });
  for (const name of readdirSync(types)) {
    const file = join(types, name);
    writeFileSync(file, readFileSync(file, "utf8").replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** Builds the tests for Node. Packages stay outside: sqlite-wasm finds its .wasm file beside itself. */
async function buildTests() {
  rmSync(join(dist, "test"), { recursive: true, force: true });
  const sources = readdirSync(join(here, "test")).filter((name) => name.endsWith(".ts"));
  await esbuild.build({
    ...common,
    entryPoints: sources.map((name) => `test/${name}`),
    outdir: "dist/test",
    platform: "node",
    packages: "external",
  });
  copyZstd(join(dist, "test"));
  await esbuild.build({
    ...common,
    entryPoints: ["hostpage", "hostworker", "mediapage", "mediaworker"].map((name) => `test/browser/${name}.ts`),
    outdir: "dist/test/browser",
    platform: "browser",
  });
  // What an app that uses the hooks brings along, and the checker of accessibility.
  await esbuild.build({
    ...common,
    entryPoints: { react: "test/browser/react.ts", axe: "axe-core" },
    outdir: "dist/test/browser",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"development"' },
  });
}

if (!process.argv.includes("--test")) await buildPackage();
await buildTests();
