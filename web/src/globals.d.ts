// What build.mjs writes into the scripts.

/** The names of the files with a hash in them. */
declare const __ASSETS__: { core: string; sqlite: string; zstd: string; worker: string; mathjax: string };
/** The script that runs inside the frame of a card. */
declare const __FRAME_SCRIPT__: string;
/** The files that the service worker keeps; "" is the page. */
declare const __FILES__: string[];
/** Changes with any of them. */
declare const __VERSION__: string;

declare module "*.css";
