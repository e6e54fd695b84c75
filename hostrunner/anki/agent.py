"""Runs real Anki collections for the tests of Cardferry.

Reads one JSON object per line, {"id", "col", "op", "args"}, and answers {"id", "result"} or {"id", "error": {"class",
"kind", "message"}}. Each request runs in a thread of its own, so that a collection can sync while another one is used;
the caller sends one request at a time for each collection. Only the public API of the anki package is used.
"""
import json
import os
import shutil
import sys
import tempfile
import threading
import traceback
import weakref

from anki.collection import Collection
from anki.dbproxy import DBProxy
from anki.sync_pb2 import SyncAuth

COLS = {}
OUT = sys.stdout
LOCK = threading.Lock()


def db_of(col):
    # After a full transfer the library leaves its db unset, while the backend has the collection open.
    if col.db is None:
        col.db = DBProxy(weakref.proxy(col._backend))
    return col.db


def auth(a):
    return SyncAuth(hkey=a["key"], endpoint=a["endpoint"])


# ---- the collection and sync

def op_open(name, a):
    COLS[name] = Collection(a["path"])


def op_close(name, a):
    col = COLS.pop(name)
    db_of(col)
    col.close(downgrade=bool(a.get("downgrade")))


def op_sync(name, a):
    col = COLS[name]
    db_of(col)
    r = col.sync_collection(auth(a), False)
    kinds = {v.number: k for k, v in r.DESCRIPTOR.fields_by_name["required"].enum_type.values_by_name.items()}
    return {"required": kinds[r.required], "message": r.server_message, "new_endpoint": r.new_endpoint}


def op_full(name, a):
    col = COLS[name]
    db_of(col)
    col.close_for_full_sync()
    try:
        col.full_upload_or_download(auth=auth(a), server_usn=None, upload=a["upload"])
    finally:
        col.db = None
        db_of(col)


def op_login(name, a):
    return COLS[name].sync_login(a["user"], a["password"], a["endpoint"]).hkey


def op_check(name, a):
    """The database check on a copy of a file, which it may change."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "check.anki2")
        shutil.copy(a["path"], path)
        col = Collection(path)
        try:
            text, ok = col.fix_integrity()
        finally:
            col.close()
        return {"text": text, "ok": ok}


def op_sql(name, a):
    db = db_of(COLS[name])
    if a.get("many") is not None:
        db.executemany(a["sql"], a["many"])
        return []
    return [[v.hex() if isinstance(v, bytes) else v for v in row] for row in db.all(a["sql"], *a.get("args", []))]


# ---- edits

def op_add_note(name, a):
    col = COLS[name]
    n = col.new_note(col.models.by_name(a.get("notetype") or "Basic"))
    for i, f in enumerate(a["fields"]):
        n.fields[i] = f
    n.tags = a.get("tags") or []
    col.add_note(n, a.get("deck") or 1)
    return {"note": n.id, "cards": list(n.card_ids())}


def op_edit_note(name, a):
    col = COLS[name]
    n = col.get_note(a["note"])
    if "fields" in a:
        for i, f in enumerate(a["fields"]):
            n.fields[i] = f
    if "tags" in a:
        n.tags = a["tags"]
    col.update_note(n)


def op_remove_notes(name, a):
    COLS[name].remove_notes(a["notes"])


def op_add_deck(name, a):
    return COLS[name].decks.id(a["name"])


def op_rename_deck(name, a):
    COLS[name].decks.rename(a["deck"], a["name"])


def op_describe_deck(name, a):
    col = COLS[name]
    d = col.decks.get(a["deck"])
    d["desc"] = a["desc"]
    col.decks.save(d)


def op_remove_decks(name, a):
    COLS[name].decks.remove(a["decks"])


def op_filtered_deck(name, a):
    """Makes and fills a filtered deck, or refills deck."""
    col = COLS[name]
    d = col.sched.get_or_create_filtered_deck(a.get("deck") or 0)
    if a.get("name"):
        d.name = a["name"]
    del d.config.search_terms[1:]
    d.config.search_terms[0].search = a["search"]
    d.allow_empty = True
    return col.sched.add_or_update_filtered_deck(d).id


def op_empty_filtered(name, a):
    COLS[name].sched.empty_filtered_deck(a["deck"])


def op_add_deck_config(name, a):
    return COLS[name].decks.add_config_returning_id(a["name"])


def op_edit_deck_config(name, a):
    col = COLS[name]
    c = col.decks.get_config(a["id"])
    c["new"]["perDay"] = a["per_day"]
    if a.get("name"):
        c["name"] = a["name"]
    col.decks.update_config(c)


def op_use_deck_config(name, a):
    col = COLS[name]
    d = col.decks.get(a["deck"])
    col.decks.set_config_id_for_deck_dict(d, a["id"])


def op_remove_deck_config(name, a):
    COLS[name].decks.remove_config(a["id"])


def op_add_notetype(name, a):
    col = COLS[name]
    nt = col.models.copy(col.models.by_name(a.get("base") or "Basic"), add=False)
    nt["name"] = a["name"]
    return col.models.add_dict(nt).id


def op_edit_notetype(name, a):
    col = COLS[name]
    nt = col.models.get(a["id"])
    if "name" in a:
        nt["name"] = a["name"]
    if "css" in a:
        nt["css"] = a["css"]
    if "front" in a:
        nt["tmpls"][0]["qfmt"] = a["front"]
    if "add_field" in a:
        col.models.add_field(nt, col.models.new_field(a["add_field"]))
    col.models.update_dict(nt)


def op_remove_notetype(name, a):
    COLS[name].models.remove(a["id"])


def op_add_tag(name, a):
    """Gives a tag to a note and so registers it."""
    COLS[name].tags.bulk_add([a["note"]], a["tag"])


def op_rename_tag(name, a):
    COLS[name].tags.rename(a["old"], a["new"])


def op_remove_tag(name, a):
    COLS[name].tags.remove(a["tag"])


def op_set_config(name, a):
    COLS[name].set_config(a["key"], a["value"])


def op_remove_config(name, a):
    COLS[name].remove_config(a["key"])


def op_answer(name, a):
    """Answers a card; ease is 1 to 4."""
    col = COLS[name]
    card = col.get_card(a["card"])
    card.start_timer()
    states = col._backend.get_scheduling_states(card.id)
    col.sched.answer_card(col.sched.build_answer(card=card, states=states, rating=a["ease"] - 1))


def op_suspend(name, a):
    COLS[name].sched.suspend_cards(a["cards"])


def op_bury(name, a):
    COLS[name].sched.bury_cards(a["cards"])


def op_flag(name, a):
    COLS[name].set_user_flag_for_cards(a["flag"], a["cards"])


def op_move(name, a):
    COLS[name].set_deck(a["cards"], a["deck"])


def op_force_one_way(name, a):
    col = COLS[name]
    col.mod_schema(check=False)
    # The library changes scm only; without a newer mod nothing would happen.
    col.set_config("forcedOneWay", a.get("mark", 1))


# ---- the loop

def answer(line):
    req = json.loads(line)
    try:
        out = {"id": req["id"], "result": globals()["op_" + req["op"]](req["col"], req.get("args") or {})}
    except BaseException as e:
        kind = getattr(e, "kind", None)
        out = {"id": req["id"], "error": {"class": type(e).__name__, "kind": str(getattr(kind, "name", kind) or ""),
                                          "message": str(e), "trace": traceback.format_exc()}}
    with LOCK:
        OUT.write(json.dumps(out) + "\n")
        OUT.flush()


def main():
    sys.stdout = sys.stderr  # the library prints now and then
    print("ready")
    for line in sys.stdin:
        threading.Thread(target=answer, args=(line,)).start()


main()
