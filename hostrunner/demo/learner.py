"""What a learner does in the demonstration, done by the real Anki: learner.py make|study|write|compare FILE..."""

import os
import shutil
import struct
import sys
import tempfile
import zlib

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


def picture() -> bytes:
    """A blue square, as a PNG file of 8 x 8 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x0f\x5f\xa8" * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make(col: Collection) -> None:
    name = col.media.write_data("ola.png", picture())
    for front, back in WORDS:
        add(col, front, back + (f'<img src="{name}">' if front == "la ola" else ""))
    print(f"{len(WORDS)} notes in the deck Spanish, one of them with a picture")


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
            "media files": media(path),
        }
    finally:
        col.close()
        shutil.rmtree(folder)


def media(path: str) -> list[tuple[str, bytes]]:
    folder = path.removesuffix(".anki2") + ".media"
    files = sorted(os.listdir(folder))
    contents = []
    for name in files:
        with open(os.path.join(folder, name), "rb") as f:
            contents.append((name, f.read()))
    return contents


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
