"""What a learner does in the demonstration, done by the real Anki: learner.py make|study|write|compare FILE..."""

import shutil
import sys
import tempfile

from anki.collection import Collection

WORDS = [
    ("el barco", "the ship"),
    ("el transbordador", "the ferry"),
    ("el muelle", "the quay"),
    ("la ola", "the wave"),
    ("el faro", "the lighthouse"),
    ("la maleta", "the suitcase"),
]


def add(col: Collection, front: str, back: str) -> None:
    note = col.new_note(col.models.by_name("Basic"))
    note["Front"], note["Back"] = front, back
    col.add_note(note, col.decks.id("Spanish"))


def make(col: Collection) -> None:
    for front, back in WORDS:
        add(col, front, back)
    print(f"{len(WORDS)} notes in the deck Spanish")


def study(col: Collection) -> None:
    col.decks.select(col.decks.id("Spanish"))
    for rating in (3, 2, 4):
        card = col.sched.getCard()
        card.start_timer()
        col.sched.answerCard(card, rating)
    print("3 cards answered")


def write(col: Collection) -> None:
    note = col.get_note(col.find_notes("front:*maleta*")[0])
    note["Back"] = "the suitcase, the trunk"
    col.update_note(note)
    add(col, "la orilla", "the shore")
    col.remove_notes(col.find_notes("front:*faro*"))
    print("1 note corrected, 1 added, 1 deleted")


def content(path: str) -> dict[str, list]:
    """All that a learner would miss if it were lost. It looks at a copy, as the check changes the file."""
    folder = tempfile.mkdtemp()
    col = Collection(shutil.copy(path, folder))
    try:
        problems, ok = col.fix_integrity()
        if not ok or "rebuilt" not in problems:
            raise SystemExit(f"{path}: {problems}")
        return {
            "notes": col.db.all("select id, guid, mod, tags, flds from notes order by id"),
            "cards": col.db.all("select id, nid, did, mod, type, queue, due, ivl, reps, lapses from cards order by id"),
            "reviews": col.db.all("select id, cid, ease, ivl, time, type from revlog order by id"),
            "decks": col.db.all("select id, name from decks order by id"),
        }
    finally:
        col.close()
        shutil.rmtree(folder)


def compare(*paths: str) -> None:
    first, second = (content(path) for path in paths)
    for kind, rows in first.items():
        if rows != second[kind]:
            raise SystemExit(f"the {kind} differ: {rows} {second[kind]}")
        print(f"{len(rows)} {kind}: equal")


command, *files = sys.argv[1:]
if command == "compare":
    compare(*files)
else:
    collection = Collection(files[0])
    {"make": make, "study": study, "write": write}[command](collection)
    collection.close()
