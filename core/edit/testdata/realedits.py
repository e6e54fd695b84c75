"""The edits of core/edit made by the real program, through its public API, as what ours are compared with.

base FILE makes the collection that the cases start from, and prints its ids. edit JSON applies each case of a JSON list
[{"base", "out", "ops"}] to a copy of a file. check JSON lets the real database check look at a JSON list of files.
"""
import json
import os
import shutil
import sys

from anki.collection import Collection

DAY = 86400


def base(path):
    col = Collection(path)
    ids = {}
    for name in ("A", "A::B", "A::B::C", "Z", "Random"):
        ids[name] = col.decks.id(name)
    config = col.decks.add_config_returning_id("Random")
    c = col.decks.get_config(config)
    c["new"]["order"] = 0
    c["new"]["initialFactor"] = 2300
    c["new"]["delays"] = [1, 5, 20]
    c["lapse"]["delays"] = [5, 20]
    col.decks.update_config(c)
    col.decks.set_config_id_for_deck_dict(col.decks.get(ids["Random"]), config)
    kinds = {"basic": "Basic", "reversed": "Basic (and reversed card)", "optional": "Basic (optional reversed card)", "cloze": "Cloze"}
    for key, name in kinds.items():
        ids[key] = col.models.by_name(name)["id"]

    def note(key, kind, deck, fields, tags=()):
        n = col.new_note(col.models.get(ids[kind]))
        for i, f in enumerate(fields):
            n.fields[i] = f
        n.tags = list(tags)
        col.add_note(n, ids.get(deck, 1))
        ids[key] = n.id
        for i, c in enumerate(n.card_ids()):
            ids[f"{key}/{i}"] = c

    note("n1", "basic", "A", ["one", "1"], ["t1", "Top::Sub"])
    note("n2", "reversed", "A::B", ["two", "2"])
    note("n3", "optional", "A::B::C", ["three", "3"])
    note("n4", "cloze", "Z", ["{{c1::four}} {{c3::vier}}"])
    note("empty", "reversed", "Z", ["front only", ""])
    states = {
        "learn": "type=1, queue=1, left=1001, due=1900000000, reps=1, data='{\"pos\":5}'",
        "interday": "type=1, queue=3, left=1, due=101, reps=1, data='{\"pos\":5}'",
        "review": "type=2, queue=2, due=3, ivl=10, factor=2500, reps=5, lapses=2, "
                  "data='{\"pos\":5,\"s\":9.5,\"d\":6.2,\"dr\":0.9,\"decay\":0.154,\"lrt\":%d,\"cd\":\"{\\\"x\\\":1}\"}'",
        "relearn": "type=3, queue=1, left=1, due=1900000000, ivl=3, factor=2300, reps=7, lapses=2, data=''",
        "learntimed": "type=1, queue=1, left=2, due=1900000000, reps=1, data='{\"lrt\":%d}'",
        "relearnlater": "type=3, queue=3, left=2, due=99, ivl=15, factor=2300, reps=7, lapses=2, data=''",
        "newplace": "data='{\"pos\":4}'",
        "suspended": "type=2, queue=-1, due=3, ivl=10, factor=2500, reps=5",
        "buried": "type=2, queue=-2, due=3, ivl=10, factor=2500, reps=5",
        "userburied": "type=1, queue=-3, left=1, due=1900000000, reps=1",
        "flagged": "flags=10",
        "suspendednew": "queue=-1",
        "lent": "type=2, queue=2, due=3, ivl=10, factor=2500, reps=5",
        "lentnew": "type=0",
    }
    now = col.db.scalar("select id/1000 from notes limit 1")
    for key, sql in states.items():
        note(key, "basic", "Z" if key.startswith("lent") else "A", [key, "x"], ["lent"] if key.startswith("lent") else [])
        col.db.execute("update cards set %s where id=%d" % (sql.replace("%d", str(now - 12 * DAY)), ids[key + "/0"]))
    f = col.sched.get_or_create_filtered_deck(0)
    f.name = "Lent"
    del f.config.search_terms[1:]
    f.config.search_terms[0].search = "tag:lent"
    ids["Lent"] = col.sched.add_or_update_filtered_deck(f).id
    col.set_config("key", {"a": [1, 2.5, None]})
    col.set_config("_deck_%d_lastNotetype" % ids["A::B"], ids["basic"])
    for table in ("notes", "cards", "revlog"):
        col.db.execute("update %s set usn=5" % table)
    for table in ("notes", "cards"):
        col.db.execute("update %s set mod=1000" % table)
    for table in ("decks", "notetypes", "deck_config", "config"):
        col.db.execute("update %s set usn=5, mtime_secs=1000" % table)
    col.db.execute("update tags set usn=5")
    col.db.execute("update col set crt=crt-%d" % (100 * DAY))
    col.close()
    return ids


def card_edits(col, op, cards):
    if "deckId" in op:
        col.set_deck(cards, op["deckId"])
    if op.get("forget"):
        col.sched.schedule_cards_as_new(cards, restore_position=op.get("restorePosition", False), reset_counts=op.get("resetCounts", False))
    if "due" in op:
        col.sched.set_due_date(cards, str(op["due"]))
    if "position" in op:
        col.sched.reposition_new_cards(cards, op["position"], op.get("step", 1), False, False)
    if "suspended" in op:
        (col.sched.suspend_cards if op["suspended"] else col.sched.unsuspend_cards)(cards)
    if "buried" in op:
        (col.sched.bury_cards if op["buried"] else col.sched.unbury_cards)(cards)
    if "flag" in op:
        col.set_user_flag_for_cards(op["flag"], cards)


def apply(col, op):
    name = op["op"]
    if name == "addNote":
        n = col.new_note(col.models.get(op["notetypeId"]))
        for i, f in enumerate(op["fields"]):
            n.fields[i] = f
        n.tags = op.get("tags", [])
        col.add_note(n, op["deckId"])
    elif name == "updateNote":
        n = col.get_note(op["noteId"])
        for i, f in enumerate(op.get("fields", [])):
            n.fields[i] = f
        n.tags = op.get("tags", n.tags)
        col.update_note(n)
    elif name == "removeNotes":
        col.remove_notes(op["noteIds"])
    elif name == "answerCard":
        card = col.get_card(op["cardId"])
        card.start_timer()
        states = col._backend.get_scheduling_states(card.id)
        answer = col.sched.build_answer(card=card, states=states, rating=op["button"] - 1)
        answer.milliseconds_taken = op["takenMs"]
        col.sched.answer_card(answer)
    elif name == "setCards":
        card_edits(col, op, op["cardIds"])
    elif name == "addDeck":
        d = col.decks.new_deck()
        d.name = op["name"]
        col.decks.add_deck(d)
    elif name == "renameDeck":
        col.decks.rename(op["deckId"], op["name"])
    elif name == "removeDeck":
        col.decks.remove([op["deckId"]])
    elif name == "setConfig":
        if op["value"] is None:
            col.remove_config(op["key"])
        else:
            col.set_config(op["key"], op["value"])
    elif name == "setTemplate":
        nt = col.models.get(op["notetypeId"])
        t = nt["tmpls"][op.get("ord", 0)]
        t["qfmt"], t["afmt"], nt["css"] = op.get("front", t["qfmt"]), op.get("back", t["afmt"]), op.get("css", nt["css"])
        col.models.update_dict(nt)
    else:
        raise ValueError(name)


def edit(cases):
    out = []
    for c in cases:
        shutil.copy(c["base"], c["out"])
        col = Collection(c["out"])
        error = ""
        try:
            for op in c["ops"]:
                apply(col, op)
        except Exception as e:
            error = str(e) or type(e).__name__
        col.close()
        out.append(error)
    return out


def check(path):
    """What the real database check says of files, "" for nothing."""
    return [check_one(p) for p in json.load(open(path))]


def check_one(path):
    col = Collection(path)
    try:
        text, ok = col.fix_integrity()
    finally:
        col.close()
    return "" if ok and text.strip() == "Database rebuilt and optimized." else text


if __name__ == "__main__":
    out, sys.stdout = sys.stdout, sys.stderr  # the library prints now and then
    jobs = {"base": base, "edit": lambda path: edit(json.load(open(path))), "check": check}
    json.dump(jobs[sys.argv[1]](sys.argv[2]), out)
