// The page: opens the profile and shows the place that the address names.

import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/views.css";
import { followDays } from "./day.ts";
import { account, opened, openError, start } from "./ferry.ts";
import { route } from "./router.ts";
import { startServiceWorker } from "./install.ts";
import { startTheme } from "./theme.ts";
import { Shell, Opening } from "./Shell.tsx";
import { BrowseView } from "./views/Browse.tsx";
import { CheckView } from "./views/Check.tsx";
import { ChoiceView } from "./views/Choice.tsx";
import { DecksView } from "./views/Decks.tsx";
import { NoteView } from "./views/Note.tsx";
import { SettingsView } from "./views/Settings.tsx";
import { SignView } from "./views/Sign.tsx";
import { StatsView } from "./views/Stats.tsx";
import { StudyView } from "./views/Study.tsx";
import { SyncView } from "./views/Sync.tsx";
import { welcomed } from "./welcome.ts";

/** The view of the current route. */
function Place() {
  const { place, rest, params } = route.value;
  switch (place) {
    case "study":
      return <StudyView deckId={Number(rest[0])} key={rest[0]} />;
    case "browse":
      return <BrowseView />;
    case "note":
      return <NoteView id={rest[0] ?? "new"} params={params} key={rest[0]} />;
    case "sync":
      return <SyncView />;
    case "choose":
      return <ChoiceView />;
    case "stats":
      return <StatsView />;
    case "settings":
      return <SettingsView section={rest[0] ?? ""} />;
    case "check":
      return <CheckView />;
    case "sign-in":
    case "sign-up":
      return <SignView mode={place === "sign-in" ? "in" : "up"} />;
  }
  return !account.value && !welcomed.value ? <SignView mode="up" welcome /> : <DecksView />;
}

function App() {
  if (!opened.value) return <Opening error={openError.value} />;
  return (
    <Shell>
      <Place />
    </Shell>
  );
}

startTheme();
const root = document.getElementById("app");
if (root) render(<App />, root);
// The package looks for a service worker when it opens, and uses the app's if there is one.
void startServiceWorker().then(() => start()).then(followDays);
