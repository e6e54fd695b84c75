// Every word that the app says, so that a language can be added by a second file with the same members.
// Plain, short, second person, no blame, no codes in the sentence (look.md §4).

import type { Kind } from "cardferry";

/** What an error says: what happened, what is safe, what to do. */
export interface ErrorText {
  what: string;
  safe?: string;
  todo?: string;
}

const number = new Intl.NumberFormat("en");
const whole = (n: number): string => number.format(n);
const count = (n: number, one: string, many = `${one}s`): string => `${whole(n)} ${n === 1 ? one : many}`;
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const date = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const SAFE = "Everything on this device is safe.";

/** "3 minutes ago" of a time in Unix milliseconds. */
function since(time: number): string {
  const seconds = Math.round((Date.now() - time) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return ago.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 86400) return ago.format(-Math.round(seconds / 3600), "hour");
  if (seconds < 30 * 86400) return ago.format(-Math.round(seconds / 86400), "day");
  return date.format(time);
}

/** "2 notes changed and 5 reviews made" */
function made(notes: number, reviews: number): string {
  const parts = [notes > 0 && `${count(notes, "note")} written or changed`, reviews > 0 && `${count(reviews, "review")} made`];
  return parts.filter(Boolean).join(" and ");
}

function replaced(side: "server" | "device", cards: number | undefined): string {
  const of = side === "server" ? "the server" : "this device";
  if (cards === undefined) return `The cards of ${of} are`;
  return cards === 1 ? `The one card of ${of} is` : `The ${whole(cards)} cards of ${of} are`;
}

function bytes(n: number): string {
  if (n < 1000) return `${whole(n)} bytes`;
  if (n < 1e6) return `${whole(Math.round(n / 1e3))} kB`;
  if (n < 1e9) return `${number.format(Math.round(n / 1e5) / 10)} MB`;
  return `${number.format(Math.round(n / 1e8) / 10)} GB`;
}

/** A device by what it calls itself to the server: "26.09.3,29bb700b,linux" is the desktop program. */
function deviceName(client: string): string {
  const [, version, system] = /^(\d[\w.]*),\w*,(\w+)/.exec(client) ?? [];
  if (version && system) return `Anki ${version} (${system})`;
  if (client.startsWith("cardferry-web/")) return "This app, in a browser";
  return client || "A device without a name";
}

const errors: Partial<Record<Kind, ErrorText>> = {
  auth: { what: "The server did not accept your user name and password.", safe: SAFE, todo: "Sign in again." },
  offline: { what: "You are offline.", safe: "Everything is safe on this device and will be sent when you are online." },
  network: { what: "The server could not be reached.", safe: "Everything is safe on this device and will be sent later.", todo: "Check your connection, then try again." },
  timeout: { what: "The server took too long to answer.", safe: SAFE, todo: "Try again in a moment." },
  server_error: { what: "The server has a problem of its own.", safe: SAFE, todo: "Try again later." },
  proxy_auth: { what: "The network you are in asks you to sign in first.", safe: SAFE, todo: "Open any web page, sign in to the network, then sync again." },
  one_way_needed: { what: "This device and the server have grown apart, so one of them must replace the other.", safe: "Nothing has been changed.", todo: "Choose which side to keep." },
  clock: { what: "The clock of this device is wrong.", safe: SAFE, todo: "Set date, time and time zone, then sync again." },
  client_too_old: { what: "This app is too old for the server.", safe: SAFE, todo: "Reload the page to update it." },
  too_large: { what: "Your collection is larger than the server accepts.", safe: SAFE, todo: "Ask whoever runs the server to allow more." },
  server_message: { what: "The server has a message for you.", safe: SAFE },
  sanity: { what: "The two sides did not add up after the sync.", safe: SAFE, todo: "Sync again. You will be asked which side to keep." },
  resync: { what: "The server asks for another sync.", safe: SAFE, todo: "Sync again." },
  database_check: { what: "The server found a fault in its copy.", safe: SAFE, todo: "Check the database in the desktop program, then sync again." },
  conflict: { what: "Another device is syncing right now.", safe: SAFE, todo: "Wait a minute, then sync again." },
  storage_full: { what: "There is no space left on this device.", safe: "What you have already is safe.", todo: "Free some space, then try again." },
  busy: { what: "Another window is using your cards.", todo: "Close the other window, or go on there." },
  damaged_file: { what: "The collection on this device is damaged. It was left as it is.", todo: "Fetch the server's copy, or restore a backup afterwards. The damaged file is kept among the backups." },
  unsupported_file: { what: "The collection was made by a newer program. It was left as it is.", todo: "Update this app." },
  damaged_download: { what: "What the server sent was damaged on the way.", safe: SAFE, todo: "Try again." },
  not_found: { what: "That was not found. It may have been deleted on another device." },
  invalid_input: { what: "That is not possible." },
  unsupported_browser: { what: "This browser cannot store your cards here.", todo: "Use a current browser, not in private mode, over a secure address (https)." },
  internal: { what: "Something went wrong inside the app.", safe: "Your cards are safe.", todo: "Reload the page." },
  closed: { what: "Your cards were closed.", todo: "Reload the page." },
};

/** The texts. */
export const texts = {
  app: "Cardferry",
  skip: "Skip to the content",
  whole,
  count,
  since,
  bytes,
  date: (time: number) => date.format(time),
  cards: (n: number) => count(n, "card"),
  error: (kind: Kind): ErrorText => errors[kind] ?? { what: "Something went wrong.", safe: SAFE, todo: "Try again." },
  template: (e: { side: "front" | "back"; problem: string; tag: string; field: string }): string => {
    const side = e.side === "front" ? "front" : "back";
    if (e.problem === "unknown_field") return `The ${side} template names the field ${e.field}, which this note type does not have. Change it in the desktop program.`;
    return `The ${side} template has a mistake at ${e.tag}. Change it in the desktop program.`;
  },
  emptyCard: {
    blank_front: "The front of this card is empty. Edit the note, or delete the card in the desktop program.",
    no_number: "This card’s number does not occur in the note any more. Edit the note, or delete the card in the desktop program.",
  },
  errorCode: "Code for a report:",

  common: {
    back: "Back",
    cancel: "Cancel",
    close: "Close",
    save: "Save",
    more: "More",
    undo: "Undo",
    again: "Try again",
    delete: "Delete",
    loading: "Loading",
    menu: "Menu",
  },
  nav: { decks: "Decks", browse: "Browse", add: "Add", stats: "Statistics", settings: "Settings", label: "Places" },

  opening: {
    title: "Your cards cannot be opened",
    slow: "Opening your cards",
    reload: "Reload",
    fetch: "Fetch the server's copy",
    insecure: "This page was opened over a plain http address. Browsers store cards only for secure addresses: https, or this computer itself.",
  },

  decks: {
    title: "Decks",
    deck: "Deck",
    columns: { new: "New", learn: "Learn", review: "Due" },
    today: (cards: number, minutes: number) => (minutes > 0 ? `${count(cards, "card")} in about ${whole(minutes)} min` : `${count(cards, "card")} to study`),
    done: "All done for today",
    doneMore: "Come back tomorrow, or add new cards.",
    studied: (n: number, minutes: number) => `You have studied ${count(n, "card")} in ${whole(minutes)} min today.`,
    notStudied: "You have not studied yet today.",
    study: (deck: string) => `Study ${deck}`,
    add: "Add a card",
    newDeck: "New deck",
    rename: "Rename",
    name: "Name of the deck",
    subdeck: "Use :: for a deck inside another one, as in Languages::Spanish.",
    remove: "Delete deck",
    removeAsk: (name: string, cards: number) => `Delete ${name} with its ${count(cards, "card")}? This is done on all your devices with the next sync.`,
    removed: (name: string) => `${name} was deleted.`,
    filtered: "A filtered deck. It is shown here, but can be studied only in the desktop program.",
    filteredTag: "filtered",
    browse: "Show its cards",
    fold: (name: string, open: boolean) => `${open ? "Fold" : "Unfold"} ${name}`,
    menu: (name: string) => `More about ${name}`,
    emptyTitle: "No cards yet",
    empty: "Add your first card, or sign in to fetch the decks from your computer.",
    emptySignedIn: "Add your first card, or sync your computer with this server.",
    signIn: "Sign in",
    connect: "Connect a computer",
  },

  study: {
    show: "Show answer",
    grades: ["Again", "Hard", "Good", "Easy"] as const,
    remaining: (n: number, l: number, r: number) => `${whole(n)} new, ${whole(l)} learning, ${whole(r)} due`,
    doneTitle: "Done for now",
    done: "You have finished this deck for today.",
    later: (minutes: number) => `The next card comes in ${count(minutes, "minute")}.`,
    kept: (n: number) => `${count(n, "more card")} ${n === 1 ? "waits" : "wait"} for another day, because of the daily limit.`,
    buriedLeft: (n: number) => `${count(n, "card")} ${n === 1 ? "is" : "are"} buried until tomorrow.`,
    home: "Back to the decks",
    undone: { answerCard: "Your last answer was taken back.", other: "The last change was taken back." },
    nothingToUndo: "There is nothing to undo.",
    menu: "More about this card",
    edit: "Edit the note",
    bury: "Bury until tomorrow",
    buried: "The card comes back tomorrow.",
    suspend: "Suspend",
    suspended: "The card is suspended. You can take that back.",
    leech: "This card is hard for you, so it was marked as a leech. Try to rewrite it.",
    flag: "Flag",
    flags: ["No flag", "Red", "Orange", "Green", "Blue", "Pink", "Turquoise", "Purple"] as const,
    info: "About this card",
    replay: "Play the sound again",
    keys: "Keys",
    keyList: [
      ["Space", "show the answer, then Good"],
      ["1 2 3 4", "Again, Hard, Good, Easy"],
      ["U", "undo"],
      ["R", "play the sound again"],
      ["E", "edit the note"],
      ["-", "bury until tomorrow"],
      ["@", "suspend"],
      ["Esc", "back to the decks"],
    ] as const,
    card: "Card",
    frame: (side: "question" | "answer") => (side === "question" ? "Question" : "Answer"),
    cannotPlay: (name: string) => `The sound ${name} cannot be played.`,
    film: (name: string) => `The film ${name}`,
    noSound: (name: string) => `The sound ${name} is not here yet.`,
    openLink: (url: string) => `Open ${url} in a new window? It is not part of this app.`,
    typeAnswer: "Type the answer",
    notRendered: "This card cannot be shown.",
  },

  media: {
    coming: (n: number) => (n === 1 ? "A picture or sound is still syncing." : `${whole(n)} pictures and sounds are still syncing.`),
    placeholder: "still syncing",
    placeholderMissing: "missing",
    outside: "a picture from the internet, which cards may not load",
    missing: (name: string) => `${name} is missing.`,
    missingLatex: "A picture of LaTeX is missing.",
    missingMany: (n: number) => `${whole(n)} files are missing.`,
    what: "What can I do?",
    title: "A file is missing",
    notSynced: "It may not be synced from the other device yet",
    notSyncedMore: "Open the program on the device where the note was made, and sync there. The file comes by itself.",
    latex: "It is a picture of LaTeX",
    latexMore: "This app cannot make these. Look at the card in the desktop program, which makes them where LaTeX is installed, and sync there.",
    inNote: "It may be wrong in the note",
    inNoteMore: "Open the note at that field. The broken picture can be removed there.",
    openNote: "Open the note",
    inTemplate: (type: string, template: string) => `It is named in the card template ${template} of ${type}`,
    inTemplateMore: "Every card of this type lacks the file. This is the line:",
    removeLine: "Remove it from the template",
    removeLineAsk: (name: string) => `Remove ${name} from the template for all cards of this type?`,
    removed: "The line was removed from the template.",
  },

  facts: { deck: "Deck", type: "Type", interval: "Interval", reviews: "Reviews", lapses: "Lapses", none: "none yet" },

  browse: {
    title: "Browse",
    search: "Search cards",
    placeholder: "Text, deck:, tag:, is:due",
    help: "Words are looked for in all fields. deck:Spanish, tag:verb, is:new, is:learn, is:review, is:due, is:suspended, is:buried, flag:1 narrow it down; - before a part excludes it.",
    found: (n: number) => count(n, "card"),
    nothing: (search: string) => `No card matches “${search}”.`,
    nothingAtAll: "There are no cards yet.",
    select: (first: string) => `Select ${first}`,
    selected: (n: number) => `${whole(n)} selected`,
    suspend: "Suspend",
    unsuspend: "Unsuspend",
    deleteNotes: "Delete notes",
    deleteAsk: (n: number) => `Delete ${count(n, "note")} with all ${n === 1 ? "its" : "their"} cards? You can take it back with Undo.`,
    deleted: (n: number) => `${count(n, "note")} deleted.`,
    suspended: (n: number) => `${count(n, "card")} suspended.`,
    unsuspended: (n: number) => `${count(n, "card")} unsuspended.`,
    moved: (n: number) => `${count(n, "card")} moved.`,
    move: "Move to deck",
    due: { new: "new", suspended: "suspended", buried: "buried", learning: "learning", today: "due today", late: "overdue", in: (days: number) => `in ${count(days, "day")}` },
    clear: "Clear the selection",
    empty: "(empty)",
  },

  note: {
    add: "Add a card",
    edit: "Edit the note",
    type: "Type",
    deck: "Deck",
    tags: "Tags",
    tagsHint: "Separate them by spaces.",
    preview: "Preview",
    saved: "Saved.",
    added: (n: number) => (n === 1 ? "Added 1 card." : `Added ${whole(n)} cards.`),
    addButton: "Add card",
    picture: "Add a picture",
    camera: "Take a photo",
    sound: "Add a sound or film",
    duplicate: "Another note begins with the same text.",
    emptyFirst: "Write something into the first field.",
    cloze: "Mark what to hide",
    clozeMissing: "Mark at least one part to hide: select it, then use “Mark what to hide”.",
    unsaved: "You have changes that are not saved. Leave without saving?",
    missing: (name: string) => `${name} is missing`,
    removeImage: "Remove",
    delete: "Delete note",
    deleteAsk: "Delete this note with all its cards?",
    gone: "This note does not exist any more.",
    otherTypes: "Note types can be made and changed in the desktop program only.",
    asText: "This field has formatting that is edited as HTML.",
    asRich: "Edit it as text with pictures",
    question: "Show question",
  },

  sync: {
    title: "Sync",
    state: {
      none: () => "In sync",
      normal: (n: number) => (n > 0 ? `Sync (${whole(n)})` : "Sync"),
      full: () => "Choose a side",
      syncing: (percent: number | null) => (percent === null ? "Syncing" : `Syncing ${whole(percent)} %`),
      offline: (n: number) => (n > 0 ? `Offline, ${whole(n)} waiting` : "Offline"),
      attention: () => "Needs you",
      signedOut: () => "Not synced",
    },
    stages: {
      connect: "Connecting",
      graves: "Comparing",
      changes: "Comparing",
      chunks: "Exchanging cards",
      finish: "Finishing",
      upload: "Sending your collection",
      download: "Fetching your collection",
      check: "Checking",
      media_index: "Looking at pictures and sounds",
      media_download: "Fetching pictures and sounds",
      media_upload: "Sending pictures and sounds",
    } as Record<string, string>,
    last: (time: number) => (time ? `Last sync ${since(time)}` : "Never synced"),
    now: "Sync now",
    stop: "Stop",
    here: "This device",
    waiting: (n: number) => (n > 0 ? `${count(n, "change")} to send` : "No changes to send"),
    waitingSettings: "A setting to send",
    server: "Server",
    media: "Pictures and sounds",
    mediaOf: (done: number, total: number) => `${whole(done)} of ${whole(total)} here`,
    mediaAll: "All here",
    mediaNone: "None yet",
    required: { none: "Nothing new", normal: "There is something new", full: "One side must replace the other" },
    notAsked: "The next sync asks",
    history: "Last syncs",
    noHistory: "The syncs of this visit are listed here.",
    done: (sent: number, received: number) => (sent + received === 0 ? "Nothing to exchange" : `${whole(sent)} sent, ${whole(received)} received`),
    uploaded: (size: string) => `Sent the whole collection (${size})`,
    downloaded: (size: string) => `Fetched the whole collection (${size})`,
    choose: "Choose a side",
    signIn: "Sign in to sync with your other devices. Your cards stay on this device either way.",
    moved: (to: string) => `The server has moved to ${to}.`,
  },

  choice: {
    title: "Which side do you want to keep?",
    lead: "Your cards on this device and on the server cannot be merged this time, because a note type was changed or one side was replaced. One side will replace the other.",
    firstDownload: "The server has your decks",
    firstDownloadLead: "This device has no cards yet, so nothing is lost here. The pictures and sounds follow afterwards, those of today’s cards first.",
    firstUpload: "The server has no cards yet",
    firstUploadLead: "Your cards on this device will be copied to it. Nothing is lost. After that, your other devices can fetch them.",
    device: "This device",
    server: "Server",
    cards: "Cards",
    notes: "Notes",
    reviews: "Reviews",
    changedAt: "Last change",
    pending: "Not sent yet",
    unknown: "unknown",
    lost: "Would be lost if you keep the server",
    lostServer: "Would be lost if you keep this device",
    lostNothing: "Nothing",
    lostNewer: (notes: number, reviews: number) => `${made(notes, reviews)} here since the last sync`,
    lostPending: (n: number) => `${count(n, "change")} made here since the last sync`,
    lostCards: (n: number, reviews: number) => `${count(n, "card")} and ${count(reviews, "review")}, as they are here`,
    lostThere: (n: number, reviews: number) => `${count(n, "card")} and ${count(reviews, "review")}, as they are there`,
    lostServerNewer: (notes: number, reviews: number) => `${made(notes, reviews)} on other devices since this one last synced`,
    lostServerOther: "No cards and no reviews. Decks or settings have changed there since this device last synced",
    lostServerChanges: "What your other devices have sent since this device last synced",
    lostServerNothing: "Nothing: the server has not changed since this device last synced",
    onlyThere: "this server does not say",
    lostServerAll: "All that your other devices have sent to it",
    sureDevice: (cards: number | undefined) =>
      `${replaced("server", cards)} replaced by those of this device, for all your devices. A copy of them is kept here first.`,
    sureServer: (cards: number, pending: number) =>
      `${replaced("device", cards)} replaced by the server’s${pending > 0 ? `, and ${count(pending, "change")} made here ${pending === 1 ? "is" : "are"} lost` : ""}. A copy is kept here first.`,
    examples: "For example",
    recommended: "Recommended",
    keepServer: "Keep the server",
    keepDevice: "Keep this device",
    fetch: "Fetch my decks",
    send: "Send my cards",
    kept: "Before anything is replaced, a copy is kept on this device for 30 days. You can restore it in Settings, Backups.",
    cancel: "Do nothing now",
    done: { download: "This device now has the server’s cards.", upload: "The server now has this device’s cards." },
    restore: "Restore the previous copy",
    notNow: "There is nothing to choose at the moment.",
  },

  sign: {
    in: "Sign in",
    up: "Create an account",
    user: "User name",
    password: "Password",
    show: "Show",
    hide: "Hide",
    server: "Server",
    serverHint: "Where your cards are kept so that all your devices have them. Leave it as it is unless you run one yourself.",
    serverPath: `This page can reach its own server only. Whoever runs it can open a way to others: an address such as ${new URL("upstream/NAME/", document.baseURI).pathname}.`,
    toUp: "New here? Create an account",
    toIn: "You have an account? Sign in",
    without: "Start without an account",
    lead: "Your decks, on every device.",
    leadMore: "Study here, go on at your computer. It works without a network, too.",
    working: "Signing in",
    taken: "That name is taken. Choose another one.",
    closed: "This server does not take new accounts. Ask whoever runs it.",
    tooMany: "Too many accounts were made from here just now. Wait a few minutes, then try again.",
    wrong: "User name or password is wrong.",
    userEmpty: "Enter your user name.",
    passwordEmpty: "Enter your password.",
  },

  settings: {
    title: "Settings",
    account: "Account",
    signedIn: (user: string) => `Signed in as ${user}`,
    signedOut: "Not signed in",
    signOut: "Sign out",
    signOutAsk: "Sign out of this device? Your cards stay here.",
    signOutPending: (n: number) => `${count(n, "change")} on this device ${n === 1 ? "has" : "have"} not been sent yet. They stay here, and are sent when you sign in again.`,
    signOutSync: "Sync first",
    devices: "Devices",
    devicesMore: "All that are signed in to your account.",
    devicesOther: "Only an account of this server has a list of devices.",
    deviceSeen: (time: number) => `Last seen ${since(time)}`,
    deviceThis: "This device",
    deviceName,
    revoke: "Sign out",
    revokeAsk: (name: string) => `Sign “${name}” out? Its cards stay on it, and it has to sign in again to sync.`,
    revoked: (name: string) => `“${name}” was signed out.`,
    changeServer: "Use another server or account",
    syncing: "Syncing",
    autoSync: "Sync by itself",
    autoSyncMore: "Your cards are synced when you open the app and when you leave it.",
    syncMedia: "Pictures and sounds too",
    syncMediaMore: "They are synced along with the cards.",
    mediaInterval: "Look for new pictures every 15 minutes",
    mediaIntervalMore: "Also while the app stays open.",
    live: "Sync at once when another device has synced",
    liveMore: "The server tells this app as soon as something is new.",
    metered: "On a metered connection",
    meteredMore: "Mobile data, or a connection that asks to save data.",
    meteredChoices: { all: "Sync everything", collection: "Sync cards only", none: "Do not sync by itself" },
    look: "Look",
    theme: "Colours",
    themes: { system: "As the system", light: "Light", dark: "Dark" },
    storage: "On this device",
    used: (used: string, quota: string) => `${used} of ${quota} used`,
    persisted: "Your browser keeps your cards until you delete them.",
    notPersisted: "Your browser may delete your cards when space runs out. Sync often, or ask it to keep them.",
    persist: "Ask the browser to keep them",
    persistRefused: "The browser did not agree. Installing the app usually helps.",
    backups: "Backups",
    backupsMore: "Copies that were kept before something was replaced.",
    noBackups: "There are no backups. One is made before one side replaces the other.",
    backupReasons: { download: "Before fetching the server’s collection", upload: "The server’s copy, before it was replaced", restore: "Before another backup was restored", upgrade: "Before an upgrade", import: "Before an import" } as Record<string, string>,
    restore: "Restore",
    restoreAsk: (when: string) => `Replace your cards on this device by the copy of ${when}? The present ones are kept as another backup. The next sync will ask which side to keep.`,
    restored: "Restored.",
    checkMedia: "Check pictures and sounds",
    checkMediaMore: "Finds files that no note uses, and notes whose files are missing.",
    diagnostics: "Diagnostics",
    diagnosticsMore: "A text for whoever helps you. It has no passwords and no cards.",
    copy: "Copy",
    copied: "Copied.",
    install: "Install the app",
    installMore: "It opens like any other app, and your browser keeps your cards.",
    update: "A new version is ready.",
    updateNow: "Update now",
    computer: "Connect a computer",
    computerSteps: [
      "Open Anki on the computer, then Tools, Preferences, Syncing.",
      "Write the address below into Self-hosted sync server, with the slash at its end.",
      "Close the preferences and click Sync.",
      "Sign in with the same user name and password as here.",
    ],
    missing: "What this app cannot do yet",
    missingMore: "These are done in the desktop program, and show here after a sync:",
    missingList: [
      "filtered decks and custom study: they are listed, but not studied here",
      "balancing the load, and easy days: intervals are spread by the plain rule",
      "optimising FSRS: the parameters that you have are used",
      "editing note types, apart from removing a line with a missing file",
      "making pictures of LaTeX; MathJax works",
      "drawing image occlusions; the existing ones can be studied",
    ],
    about: "About",
    version: (v: string) => `Version ${v}`,
    notAnki: "Cardferry is not made or endorsed by the makers of Anki.",
  },

  packages: {
    export: "Save everything as a file",
    exportMore: "One file with all your cards and reviews (.colpkg). The desktop program can import it, and so can this app.",
    media: "With pictures and sounds",
    mediaMore: "Without them the file is small, and holds the cards and reviews only.",
    mediaPartly: (done: number, total: number) => `${whole(done)} of ${whole(total)} are on this device so far. The others are not in the file: sync first.`,
    exportNow: "Save the file",
    exporting: "Writing the file",
    exported: "The file was written. Your browser keeps it with its downloads.",
    fileName: (day: Date) => `collection-${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${String(day.getDate()).padStart(2, "0")}.colpkg`,
    import: "Replace everything by a file",
    importMore: "Takes the cards and reviews of a .colpkg file in place of those on this device. Nothing is merged. The present ones are kept as a backup first.",
    choose: "Choose a file",
    importing: "Reading the file",
    importAsk: (name: string) =>
      `All cards and reviews on this device are replaced by those in ${name}. The present ones are kept above as a backup for 30 days. Pictures and sounds are added, none is removed. If you sync, you will be asked which side to keep.`,
    importNow: "Replace my cards",
    imported: "Your cards were replaced",
    importedMore: (media: number) =>
      `This device now has the cards of the file${media > 0 ? `, and ${count(media, "picture or sound", "pictures and sounds")} that it did not have` : ""}. The cards from before are in Backups.`,
    leftOut: (names: string[]) =>
      `${count(names.length, "file")} of the package ${names.length === 1 ? "was" : "were"} left out: ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and others" : ""}.`,
    refused: {
      damaged_file: { what: "This is not a collection package, or it is damaged.", safe: "Nothing was changed.", todo: "Choose another file: its name ends in .colpkg." },
      unsupported_file: { what: "This package has some decks only (.apkg), or was made by a program that this app does not know.", safe: "Nothing was changed.", todo: "Choose a file whose name ends in .colpkg, or save it again in the desktop program, with support for older versions." },
    } as Partial<Record<Kind, ErrorText>>,
  },

  check: {
    title: "Pictures and sounds",
    working: "Looking through all notes and files",
    unused: "Not used by any note",
    noUnused: "Every file is used.",
    missing: "Missing",
    noMissing: "No file is missing.",
    template: "Named in card templates",
    apply: "Delete the unused files",
    applyAsk: (n: number) => `Delete ${count(n, "file")} here, and everywhere with the next sync?`,
    applied: (n: number) => `${count(n, "file")} deleted.`,
  },

  stats: {
    title: "Statistics",
    today: "Today",
    reviews: "reviews",
    minutes: "minutes",
    right: "right",
    chart: "Reviews per day",
    chartMore: "The last 30 days",
    day: (days: number, n: number) => `${days === 0 ? "Today" : `${whole(days)} days ago`}: ${count(n, "review")}`,
    cards: "Cards",
    kinds: { new: "New", learn: "Learning", young: "Young", mature: "Mature", suspended: "Suspended" },
    kindsMore: "A card is mature when you see it again after three weeks or later.",
    average: (n: number) => `${whole(n)} a day on average`,
    none: "Nothing studied in the last 30 days.",
  },
};
