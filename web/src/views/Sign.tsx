// Sign in and sign up: one form, two modes. It is also the first page of all, with a way past it.

import { useEffect, useRef, useState } from "preact/hooks";
import { signUp } from "../api.ts";
import { account, ferry, HOME, toError } from "../ferry.ts";
import { go, href, route } from "../router.ts";
import { texts } from "../texts.ts";
import { ErrorNotice, Notice } from "../ui/parts.tsx";
import { setWelcomed } from "../welcome.ts";

interface Entered {
  user: string;
  password: string;
  server: string;
}

/** The address of the account's server, "" for the page's own. */
function lastServer(): string {
  const endpoint = account.value?.endpoint ?? HOME;
  return endpoint === HOME ? "" : endpoint;
}

/** What is wrong, as a text of ours or an error. */
type Problem = string | ReturnType<typeof toError> | null;

/** The form. */
export function SignView(p: { mode: "in" | "up"; welcome?: boolean }) {
  const [mode, setMode] = useState(p.mode);
  const [entered, set] = useState<Entered>({ user: account.value?.user ?? "", password: "", server: lastServer() });
  const [shown, setShown] = useState(false);
  const [problem, setProblem] = useState<Problem>(null);
  const [working, setWorking] = useState(false);
  const t = texts.sign;
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => void (problem && notice.current?.scrollIntoView({ block: "nearest" })), [problem]); // on a small screen it stands above what is seen
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    if (working) return; // the button is not disabled: it would lose the focus
    const missing = !entered.user.trim() ? t.userEmpty : !entered.password ? t.passwordEmpty : reach(entered.server);
    if (missing) return setProblem(missing);
    setWorking(true);
    setProblem(null);
    try {
      await enter(mode, entered);
    } catch (e) {
      setProblem(describe(mode, toError(e)));
      setWorking(false);
    }
  };
  return (
    <div class="sign">
      <div class="mark"><img src="icon.svg" alt="" /><span>{texts.app}</span></div>
      <div>
        <h1>{p.welcome ? t.lead : mode === "in" ? t.in : t.up}</h1>
        {p.welcome && <p class="muted">{t.leadMore}</p>}
      </div>
      <div ref={notice} hidden={!problem}>
        {problem && (typeof problem === "string" ? <Notice kind="bad">{problem}</Notice> : <ErrorNotice error={problem} />)}
      </div>
      <form class="stack" onSubmit={(e) => void submit(e)} noValidate>
        <div class="field">
          <label for="user">{t.user}</label>
          <input id="user" class="input" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required value={entered.user} onInput={(e) => set({ ...entered, user: e.currentTarget.value })} />
        </div>
        <div class="field">
          <label for="password">{t.password}</label>
          <div class="with-button">
            <input id="password" class="input" name="password" type={(shown ? "text" : "password") as "password"} required autocomplete={mode === "in" ? "current-password" : "new-password"} value={entered.password} onInput={(e) => set({ ...entered, password: e.currentTarget.value })} />
            <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>{shown ? t.hide : t.show}<span class="sr"> {t.password}</span></button>
          </div>
        </div>
        {mode === "in" && <ServerField value={entered.server} onInput={(server) => set({ ...entered, server })} />}
        <button class="button primary big" aria-disabled={working}>{working ? t.working : mode === "in" ? t.in : t.up}</button>
      </form>
      <div class="stack">
        <button type="button" class="button quiet" onClick={() => { setMode(mode === "in" ? "up" : "in"); setProblem(null); }}>{mode === "in" ? t.toUp : t.toIn}</button>
        {p.welcome ? <button type="button" class="button quiet" onClick={setWelcomed}>{t.without}</button> : <a class="button quiet" href="#/">{texts.common.cancel}</a>}
      </div>
    </div>
  );
}

function ServerField(p: { value: string; onInput: (value: string) => void }) {
  return (
    <details>
      <summary>{texts.sign.server}: {p.value || HOME.replace(/^.*?:\/\/|\/$/g, "")}</summary>
      <div class="field">
        <label for="server" class="sr">{texts.sign.server}</label>
        <input id="server" class="input" inputMode="url" placeholder={HOME} autocapitalize="none" spellcheck={false} aria-describedby="server-hint" value={p.value} onInput={(e) => p.onInput(e.currentTarget.value)} />
        <p id="server-hint" class="hint">{texts.sign.serverHint} {texts.sign.serverPath}</p>
      </div>
    </details>
  );
}

/** What is wrong with an address, null for nothing: the page's policy lets it reach its own origin only. */
function reach(server: string): string | null {
  if (!server.trim()) return null;
  try {
    return new URL(server.trim(), location.href).origin === location.origin ? null : texts.sign.serverPath;
  } catch {
    return texts.sign.serverPath;
  }
}

async function enter(mode: "in" | "up", { user, password, server }: Entered): Promise<void> {
  const name = user.trim();
  const { place } = route.value;
  if (mode === "up") await signUp(name, password);
  else await ferry().login({ user: name, password, endpoint: server.trim() || HOME });
  setWelcomed();
  const report = await ferry().refresh().catch(() => null); // the decks say what is wrong
  const to = report?.required === "full" ? href("choose") : "#/";
  if (route.value.place !== place || (place === "" && to === "#/")) return; // nobody is called away from where they have gone
  go(to, { replace: true });
}

function describe(mode: "in" | "up", error: ReturnType<typeof toError>): Problem {
  if (mode === "in") return error.kind === "auth" ? texts.sign.wrong : error;
  switch (error.details.reason) {
    case "taken":
      return texts.sign.taken;
    case "closed":
    case "unsupported":
      return texts.sign.closed;
    case "rate_limited":
      return texts.sign.tooMany;
    case "invalid": // the server's own sentence says what it wants
      return error.message.charAt(0).toUpperCase() + error.message.slice(1) + (/[.!?]$/.test(error.message) ? "" : ".");
  }
  return error;
}
