"""What the real program makes of templates and notes. Reads a JSON list of cases and prints a JSON list of results.

A case has cloze, fields, tags, templates ([front, back] each), ord, and typed, a list of [expected, typed, marks]. A result has
refused (is the notetype refused?), ords and check if it is not, question and answer as they are shown, question_av and answer_av,
and compared.
"""

import json
import os
import shutil
import sys
import tempfile

from anki.collection import Collection

NAMES = ["A", "B", "C"]
# What it says where an image of LaTeX does not exist.
NO_IMAGE = "LaTeX image generation is disabled in the preferences."


def notetype(col, name, case):
    m = col.models.new(name)
    m["type"] = int(case["cloze"])
    m["css"] = ""
    for field in NAMES:
        col.models.add_field(m, col.models.new_field(field))
    for i, (front, back) in enumerate(case["templates"]):
        t = col.models.new_template(f"T{i}")
        t["qfmt"], t["afmt"] = front, back
        col.models.add_template(m, t)
    return m


def fill(note, case):
    note.fields = list(case["fields"])
    note.tags = list(case["tags"] or [])


def saved(col, case, result):
    """Saves the notetype and a note of it, and removes both."""
    try:
        mid = col.models.add_dict(notetype(col, "saved", case)).id
    except Exception as error:
        result["refused"] = str(error)
        return
    note = col.new_note(col.models.get(mid))
    fill(note, case)
    result["check"] = int(note.fields_check())
    col.add_note(note, 1)
    result["ords"] = col.db.list("select ord from cards where nid = ? order by ord", note.id)
    col.models.remove(mid)


def av(tag):
    if hasattr(tag, "filename"):
        return {"sound": tag.filename}
    return {"speech": {"text": tag.field_text, "lang": tag.lang, "voices": tag.voices, "speed": tag.speed, "other": tag.other_args}}


def shown(plain, case, result):
    """Renders a card of a notetype that is not saved, so that it may be faulty."""
    note = plain.col.new_note(plain)
    fill(note, case)
    front, back = case["templates"][0 if case["cloze"] else case["ord"]]
    template = dict(plain["tmpls"][0], qfmt=front, afmt=back, name="T")
    out = note.ephemeral_card(case["ord"], custom_template=template).render_output()
    result["question"] = out.question_text.replace(NO_IMAGE, "")
    result["answer"] = out.answer_text.replace(NO_IMAGE, "")
    result["question_av"] = [av(t) for t in out.question_av_tags]
    result["answer_av"] = [av(t) for t in out.answer_av_tags]


class Plain(dict):
    """A notetype that knows its collection."""


def main():
    folder = tempfile.mkdtemp()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    col = Collection(folder + "/collection.anki2")
    plain = {}
    for cloze in (False, True):
        side = "{{cloze:A}}" if cloze else "{{A}}"
        mid = col.models.add_dict(notetype(col, f"N{int(cloze)}", {"cloze": cloze, "templates": [[side, side]]})).id
        plain[cloze] = Plain(col.models.get(mid))
        plain[cloze].col = col
    results = []
    for case in json.load(sys.stdin):
        result = {}
        saved(col, case, result)
        shown(plain[case["cloze"]], case, result)
        result["compared"] = [col.compare_answer(*x) for x in case["typed"] or []]
        results.append(result)
    col.close()
    shutil.rmtree(folder)
    print(json.dumps(results))


main()
