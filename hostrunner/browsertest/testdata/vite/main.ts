import { Cardferry, SyncError, type Status } from "cardferry";
import "cardferry/sync-button";
import { connectHost, type HostPort } from "cardferry/webview";

declare global {
  interface Window {
    ready?: boolean;
    run?: () => Promise<unknown>;
  }
}

/** What a test calls: opens a profile, makes an account, syncs, reads, and is refused a write. */
window.run = async () => {
  const silent: HostPort = { postMessage: () => silent.onmessage?.(new MessageEvent("message", { data: hello })), onmessage: null };
  const hello = JSON.stringify({ id: 1, result: { version: 1 } });
  const ferry = await connectHost(silent).then((f) => f.close()).then(() => Cardferry.open({ profile: undefined }));
  const button = document.body.appendChild(document.createElement("cardferry-sync-button"));
  button.ferry = ferry;
  button.addEventListener("cardferry-choice", ({ detail }) => console.log(detail.error?.kind)); // what they have is known
  document.addEventListener("cardferry-synced", ({ detail }) => console.log(detail.report.required));
  if (button.shadowRoot === null) throw new Error("the element is not defined");
  const statuses: Status[] = [];
  ferry.subscribe((status) => statuses.push(status));
  await ferry.signUp({ user: "learner", password: "correct horse" });
  await ferry.upload();
  const [row] = await ferry.query("SELECT count(*) AS n FROM notetypes");
  const refused = await ferry.query("DELETE FROM notes").catch((e: unknown) => (e instanceof SyncError ? e.kind : String(e)));
  const { required } = await ferry.sync({ signal: undefined, media: undefined }); // as a function passes on what it was not given
  await ferry.close();
  return { notetypes: row?.n, refused, required, pending: statuses[0]?.pending };
};
window.ready = true;
