"""A real Anki client for tests: one JSON command a line on standard input, one JSON answer a line on standard output.

A command is {"do": name, "args": {...}}; an answer is {"result": ...} or {"error": {"class", "kind", "message"}}. Objects are named by
what both sides of a sync know: notes by guid, cards by guid and ordinal, everything else by name.
"""
import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # the library prints at times

from anki.collection import Collection  # noqa: E402
from anki.sync_pb2 import SyncAuth  # noqa: E402

col = None
auth = None


def open_(path):
    global col
    col = Collection(path)


def close():
    global col
    if col:
        col.close()
    col = None


def cleanup():
    """Before the next user of this process."""
    global col, auth
    if col:
        try:
            col.close()
        except Exception:
            pass
    col = auth = None


# ---- sync ------------------------------------------------------------------------------------------------------


def login(endpoint, user, password):
    global auth
    auth = col.sync_login(username=user, password=password, endpoint=endpoint)
    auth.endpoint = endpoint
    return auth.hkey


def use_key(endpoint, key):
    global auth
    auth = SyncAuth(hkey=key, endpoint=endpoint, io_timeout_secs=30)


def later():
    """Lets the millisecond pass: the library misses an edit made in the one that the server has put into col.mod."""
    time.sleep(0.002)


def sync():
    out = col.sync_collection(auth, False)
    later()
    names = {0: "none", 1: "normal", 2: "full", 3: "full_download", 4: "full_upload"}
    return {"required": names[out.required], "message": out.server_message, "new_endpoint": out.new_endpoint}


def full(upload):
    col.close_for_full_sync()
    try:
        col.full_upload_or_download(auth=auth, server_usn=None, upload=upload)
    finally:
        col.reopen(after_full_sync=True)
        later()


def status():
    s = col.sync_status(auth)
    return {0: "none", 1: "normal", 2: "full"}[s.required]


def check(path):
    """The database check of a file that nobody has open: its report if there is something to repair, else an empty text."""
    c = Collection(path)
    try:
        report, ok = c.fix_integrity()
        return "" if ok else report
    finally:
        c.close()


def downgrade(path):
    """Makes a file one of schema 11."""
    Collection(path).close(downgrade=True)


def kilobytes(field):
    """A line of this process's status, 0 where there is none."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(field))
    except OSError:
        return 0


def measure(do, args):
    """Runs a function; how long it took, and how much memory it had at most beyond what there was before."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # the peak begins anew
    except OSError:
        pass
    before = kilobytes("VmRSS")
    began = time.perf_counter()
    result = globals()[do](**args)
    return {"seconds": time.perf_counter() - began, "kilobytes": kilobytes("VmHWM") - before, "result": result}


def query(sql, args=()):
    return col.db.all(sql, *args)


def execute(sql, args=()):
    col.db.execute(sql, *args)


def execute_all(statements):
    for sql in statements:
        col.db.execute(sql)


# ---- notes and cards -------------------------------------------------------------------------------------------


def note_of(guid):
    return col.get_note(col.db.scalar("select id from notes where guid = ?", guid))


def cards_of(guid, ord=None):
    nid = col.db.scalar("select id from notes where guid = ?", guid)
    return col.db.list("select id from cards where nid = ?" + ("" if ord is None else f" and ord = {ord:d}"), nid)


def add_note(guid, notetype, deck, fields, tags=()):
    note = col.new_note(col.models.by_name(notetype))
    note.guid, note.fields, note.tags = guid, list(fields), list(tags)
    col.add_note(note, deck_id(deck))
    if note.guid != guid:
        raise ValueError("the library has chosen another guid")


def add_notes(prefix, count, notetype, deck):
    did, model = deck_id(deck), col.models.by_name(notetype)
    for i in range(count):
        note = col.new_note(model)
        note.guid, note.fields = f"{prefix}{i}", [f"{prefix} {i}"] + ["x"] * (len(note.fields) - 1)
        col.add_note(note, did)


def edit_note(guid, field, text):
    note = note_of(guid)
    note.fields[field] = text
    col.update_note(note)


def tag_note(guid, tags):
    note = note_of(guid)
    note.tags = list(tags)
    col.update_note(note)


def remove_note(guid):
    col.remove_notes([note_of(guid).id])


def answer(guid, ord, ease):
    card = col.get_card(cards_of(guid, ord)[0])
    card.start_timer()
    col.sched.answerCard(card, ease)


def card(guid, ord, act, value=None):
    ids = cards_of(guid, ord)
    s = col.sched
    {
        "suspend": lambda: s.suspend_cards(ids),
        "unsuspend": lambda: s.unsuspend_cards(ids),
        "bury": lambda: s.bury_cards(ids),
        "unbury": lambda: s.unbury_cards(ids),
        "flag": lambda: col.set_user_flag_for_cards(value, ids),
        "move": lambda: col.set_deck(ids, deck_id(value)),
        "due": lambda: s.set_due_date(ids, str(value)),
        "forget": lambda: s.schedule_cards_as_new(ids),
        "remove": lambda: col.remove_cards_and_orphaned_notes(ids),
    }[act]()


# ---- decks -----------------------------------------------------------------------------------------------------


def deck_id(name):
    found = col.decks.id_for_name(name)
    return found or col.decks.add_normal_deck_with_name(name).id


def add_deck(name):
    col.decks.add_normal_deck_with_name(name)


def rename_deck(name, to):
    col.decks.rename(col.decks.id_for_name(name), to)


def remove_deck(name):
    col.decks.remove([col.decks.id_for_name(name)])


def describe_deck(name, text):
    d = col.decks.by_name(name)
    d["desc"] = text
    col.decks.update_dict(d)


def collapse_deck(name, collapsed):
    from anki.decks import DeckCollapseScope

    col.decks.set_collapsed(col.decks.id_for_name(name), collapsed, DeckCollapseScope.REVIEWER)


def add_filtered(name, search):
    d = col.sched.get_or_create_filtered_deck(0)
    d.name = name
    del d.config.search_terms[1:]
    d.config.search_terms[0].search = search
    d.config.search_terms[0].limit = 50
    d.allow_empty = True
    col.sched.add_or_update_filtered_deck(d)


def rebuild_filtered(name):
    col.sched.rebuild_filtered_deck(col.decks.id_for_name(name))


def empty_filtered(name):
    col.sched.empty_filtered_deck(col.decks.id_for_name(name))


def deck_config_of(name):
    return next(c for c in col.decks.all_config() if c["name"] == name)


def add_deck_config(name):
    col.decks.add_config(name)


def edit_deck_config(name, per_day):
    c = deck_config_of(name)
    c["new"]["perDay"] = per_day
    c["rev"]["ease4"] = 1.35
    col.decks.update_config(c)


def use_deck_config(deck, name):
    d = col.decks.by_name(deck)
    col.decks.set_config_id_for_deck_dict(d, deck_config_of(name)["id"])


def remove_deck_config(name):
    col.decks.remove_config(deck_config_of(name)["id"])


# ---- notetypes, tags, config -----------------------------------------------------------------------------------


def add_notetype(name, fields):
    m = col.models
    nt = m.new(name)
    for f in fields:
        m.add_field(nt, m.new_field(f))
    t = m.new_template("Card 1")
    t["qfmt"], t["afmt"] = "{{%s}}" % fields[0], "{{FrontSide}}<hr>{{%s}}" % fields[-1]
    m.add_template(nt, t)
    m.add_dict(nt)


def edit_notetype(name, css=None, question=None, to=None, rename_field=None, add_field=None, add_template=None, sort_field=None):
    m = col.models
    nt = m.by_name(name)
    if css is not None:
        nt["css"] = css
    if question is not None:
        nt["tmpls"][0]["qfmt"] = question
    if to is not None:
        nt["name"] = to
    if rename_field is not None:
        nt["flds"][-1]["name"] = rename_field
    if add_field is not None:
        m.add_field(nt, m.new_field(add_field))
    if add_template is not None:
        t = m.new_template(add_template)
        t["qfmt"], t["afmt"] = "x{{%s}}" % nt["flds"][0]["name"], add_template
        m.add_template(nt, t)
    if sort_field is not None:
        nt["sortf"] = sort_field
    m.update_dict(nt)


def remove_notetype(name):
    col.models.remove(col.models.id_for_name(name))


def rename_tag(name, to):
    col.tags.rename(name, to)


def remove_tag(name):
    col.tags.remove(name)


def collapse_tag(name, collapsed):
    col.tags.set_collapsed(tag=name, collapsed=collapsed)


def set_config(key, value):
    col.set_config(key, value)


def remove_config(key):
    col.remove_config(key)


for line in sys.stdin:
    command = json.loads(line)
    try:
        name = command["do"]
        reply = {"result": globals()["open_" if name == "open" else name](**command.get("args", {}))}
    except Exception as e:  # whatever the library says, the test decides
        kind = getattr(e, "kind", None)
        reply = {"error": {"class": type(e).__name__, "kind": str(getattr(kind, "name", kind or "")), "message": str(e)}}
    answers.write(json.dumps(reply) + "\n")
    answers.flush()
