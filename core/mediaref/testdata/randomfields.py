"""Writes random.jsonl: what the real program's media check extracts from random fields. Run it with a Python that has the
package anki:  python randomfields.py [SEED] [COUNT] > random.jsonl

Each line is [field, sorted names]. Left out are fields with a name of which normalising leaves nothing, which the check
cuts out of the field and reports as empty, and those about which it changes its mind.
"""

import json
import os
import random
import shutil
import sys
import tempfile

from anki.collection import Collection

PIECES = [
    "<img ", "<IMG ", "<audio ", "<source ", "<object ", "<imgs ", "<img\n", "<vIdeo", "src=", "SRC=", "data=", "data-src=", "xsrc=",
    "ſrc=", '"', '"', "'", ">", ">", " ", "/", "a.png", "b.mp3", "é.gif", "q r.png", "&amp;", "&nbsp;", "\u00a0", "&bogus;", "&", "&#65;",
    "http://", "HTTPS://", "httpſ://", "&#104;ttp://", "[sound:", "[sound:c.mp3]", "[Sound:", "]", "]", "[", "[latex]", "[/latex]", "[LATEX]",
    "[$]", "[/$]", "[$$]", "[/$$]", "[$]x[/$]", "<br>", "<br/>", "<br />", "<div>", "<div x>", "</div>", "<!--", "-->", "<style>", "</style>",
    "{{c1::", "{{c2::", "{{c1,2::", "{{c3::", "{{c0::", "{{c::", "{{c70000::", "{{c 1::", "}}", "}}", "}}", "::", ":", "h", "x^2", "{{", "{{c", "$",
    "image-occlusion:", "data:image/png;base64,QQ==", "data:image/PnG;base64, QUI=", "data:image/gif;base64,QQ=", "\t", "\n", "日本", "\\(", "\\)",
]
HEADS = ["", "<img src=", '<img alt="', "[sound:", "[$]", "{{c1::", "[$]{{c1::"]
TAILS = ["", ">", '">', "]", "[/$]", "}}", "}}[/$]", '.png">']


def fields(seed):
    rng = random.Random(seed)
    while True:
        pieces = [rng.choice(PIECES) for _ in range(rng.randint(1, 12))]
        yield rng.choice(HEADS) + "".join(pieces) + rng.choice(TAILS)


def latex(names):
    return [name for name in names if name.startswith("latex-")]


def main(seed, count):
    folder = tempfile.mkdtemp()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic is told at length
    col = Collection(folder + "/c.anki2")
    note = col.new_note(col.models.by_name("Basic"))
    note.fields[0] = "x"
    col.add_note(note, 1)
    media = col.media.dir()
    for field in fields(seed):
        if count <= 0:
            break
        col.db.execute("update notes set flds = ? where id = ?", field + "\x1f", note.id)
        missing = sorted(col.media.check().missing, key=lambda name: name.encode())
        again = sorted(col.media.check().missing, key=lambda name: name.encode())
        for name in os.listdir(media):
            os.remove(os.path.join(media, name))
        if "" not in missing and latex(missing) == latex(again):
            print(json.dumps([field, missing]))
            count -= 1
    col.close()
    shutil.rmtree(folder)


main(*[int(arg) for arg in sys.argv[1:]] or [1, 1500])
