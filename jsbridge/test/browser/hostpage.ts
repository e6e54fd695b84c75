// Runs the checks of hostsuite.ts in Chromium, each in workers of its own.

import { checks, kills } from "../hostsuite.ts";
import type { Job } from "./hostworker.ts";

/** Runs all checks and returns their lines. */
export async function run(): Promise<string[]> {
  const lines: string[] = [];
  let n = 0;
  for (const title of Object.keys(checks)) {
    lines.push(await job({ title, phase: "check", directory: `check${++n}` }));
  }
  for (const title of Object.keys(kills)) {
    const directory = `kill${++n}`;
    lines.push(await job({ title, phase: "before", directory }));
    lines.push(await job({ title, phase: "after", directory }));
  }
  return lines;
}

async function job(job: Job): Promise<string> {
  const worker = new Worker("/dist/test/browser/hostworker.js", { type: "module" });
  try {
    return await new Promise((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<string>) => resolve(`${data} (${job.phase})`);
      worker.onerror = (e) => resolve(`FAIL ${job.title}: ${e.message}`);
      worker.postMessage(job);
    });
  } finally {
    worker.terminate();
  }
}
