"""The edits of agent.py, before which this text is put.

Objects are given by id, or by what both sides of a sync know: notes by guid, the others by name, cards by "guid/ord".
"""


def note_id(col, x):
    return db_of(col).scalar("select id from notes where guid = ?", x) if isinstance(x, str) else x


def card_id(col, x):
    if not isinstance(x, str):
        return x
    guid, ord = x.rsplit("/", 1)
    return db_of(col).scalar("select id from cards where nid = ? and ord = ?", note_id(col, guid), int(ord))


def deck_id(col, x):
    return col.decks.id_for_name(x) if isinstance(x, str) else x


def deck_config_id(col, x):
    return next(c["id"] for c in col.decks.all_config() if c["name"] == x) if isinstance(x, str) else x


def notetype_id(col, x):
    return col.models.id_for_name(x) if isinstance(x, str) else x


def op_add_note(name, a):
    col = COLS[name]
    n = col.new_note(col.models.by_name(a.get("notetype") or "Basic"))
    for i, f in enumerate(a["fields"]):
        n.fields[i] = f
    n.tags = a.get("tags") or []
    n.guid = a.get("guid") or n.guid
    deck = a.get("deck") or 1
    col.add_note(n, col.decks.id(deck) if isinstance(deck, str) else deck)
    return {"note": n.id, "cards": list(n.card_ids())}


def op_add_occlusion(name, a):
    """Adds an image occlusion note with a picture; returns the note."""
    col = COLS[name]
    col.add_image_occlusion_notetype()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, a["picture"])
        with open(path, "wb") as f:
            f.write(base64.b64decode(a["data"]))
        col.add_image_occlusion_note(notetype_id(col, "Image Occlusion"), path, a["shapes"], a.get("header", ""), "", [])
    return col.db.scalar("SELECT max(id) FROM notes")


def op_add_notes(name, a):
    """Adds count notes whose guids and texts begin with prefix."""
    for i in range(a["count"]):
        op_add_note(name, {"guid": f"{a['prefix']}{i}", "fields": [f"{a['prefix']} {i}", "x"], "deck": a.get("deck")})


def op_edit_note(name, a):
    col = COLS[name]
    n = col.get_note(note_id(col, a["note"]))
    if "fields" in a:
        for i, f in enumerate(a["fields"]):
            n.fields[i] = f
    if "tags" in a:
        n.tags = a["tags"]
    col.update_note(n)


def op_remove_notes(name, a):
    col = COLS[name]
    col.remove_notes([note_id(col, n) for n in a["notes"]])


def op_add_deck(name, a):
    return COLS[name].decks.id(a["name"])


def op_rename_deck(name, a):
    col = COLS[name]
    col.decks.rename(deck_id(col, a["deck"]), a["name"])


def op_describe_deck(name, a):
    col = COLS[name]
    d = col.decks.get(deck_id(col, a["deck"]))
    d["desc"] = a["desc"]
    col.decks.save(d)


def op_remove_decks(name, a):
    col = COLS[name]
    col.decks.remove([deck_id(col, d) for d in a["decks"]])


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
    c = col.decks.get_config(deck_config_id(col, a["id"]))
    c["new"]["perDay"] = a.get("per_day", c["new"]["perDay"])
    c["autoplay"] = a.get("autoplay", c["autoplay"])
    if a.get("name"):
        c["name"] = a["name"]
    col.decks.update_config(c)


def op_use_deck_config(name, a):
    col = COLS[name]
    d = col.decks.get(deck_id(col, a["deck"]))
    col.decks.set_config_id_for_deck_dict(d, deck_config_id(col, a["id"]))


def op_remove_deck_config(name, a):
    COLS[name].decks.remove_config(a["id"])


def op_add_notetype(name, a):
    col = COLS[name]
    nt = col.models.copy(col.models.by_name(a.get("base") or "Basic"), add=False)
    nt["name"] = a["name"]
    return col.models.add_dict(nt).id


def op_make_notetype(name, a):
    """Makes a notetype with these fields, fronts and backs."""
    models = COLS[name].models
    nt = models.new(a["name"])
    nt["type"] = int(a["cloze"])
    for field in a["fields"]:
        models.add_field(nt, models.new_field(field))
    for i, front in enumerate(a["fronts"]):
        template = models.new_template(f"Card {i + 1}")
        template["qfmt"], template["afmt"] = front, a["backs"][i]
        models.add_template(nt, template)
    return models.add_dict(nt).id


def op_edit_notetype(name, a):
    col = COLS[name]
    nt = col.models.get(notetype_id(col, a["id"]))
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
    card = col.get_card(card_id(col, a["card"]))
    card.start_timer()
    states = col._backend.get_scheduling_states(card.id)
    col.sched.answer_card(col.sched.build_answer(card=card, states=states, rating=a["ease"] - 1))


def op_suspend(name, a):
    col = COLS[name]
    col.sched.suspend_cards([card_id(col, c) for c in a["cards"]])


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


