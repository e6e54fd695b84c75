// What a running sync does and how far it is.

import { status } from "../ferry.ts";
import { stop, stoppable } from "../syncing.ts";
import { texts } from "../texts.ts";

/** The percentage of the running sync, null while its total is unknown. */
export function percent(): number | null {
  const p = status.value.progress;
  return p && p.total > 0 ? Math.min(100, Math.floor((100 * p.done) / p.total)) : null;
}

/** What is being done at the moment. */
export function stage(): string {
  return texts.sync.stages[status.value.progress?.stage ?? "connect"] ?? texts.sync.stages.connect ?? "";
}

/** The bar; thin stands below a button. */
export function Bar(p: { thin?: boolean }) {
  const done = percent();
  return (
    <span class={`bar ${p.thin ? "thin" : ""}`} role="progressbar" aria-label={texts.sync.title} aria-valuenow={done ?? undefined} aria-valuemin={0} aria-valuemax={100}>
      <i style={{ width: `${done ?? 8}%` }} />
    </span>
  );
}

/** The box of a running sync, with a way to stop it where there is one. */
export function Progress() {
  const done = percent();
  return (
    <section class="surface pad stack">
      <div class="row"><strong class="grow">{stage()}</strong><span>{done === null ? "" : `${done} %`}</span></div>
      <Bar />
      {stoppable.value && <button type="button" class="button" onClick={stop}>{texts.sync.stop}</button>}
    </section>
  );
}
