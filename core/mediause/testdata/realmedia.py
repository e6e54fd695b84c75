"""What the real program's media check reports. Reads a JSON list of cases and prints a JSON list of results.

A case has notes, [notetype, flds] each, and files, [name, content] each; the content of a link is what it leads to, after
"->". A result has missing, unused and the number of files afterwards, or error.
"""

import json
import os
import shutil
import sys
import tempfile

from anki.collection import Collection


def write(folder, name, content):
    path = os.path.join(folder, name)
    if content.startswith("->"):
        os.symlink(content[2:], path)
    elif content == "folder":
        os.mkdir(path)
    else:
        with open(path, "w") as f:
            f.write(content)


def clear(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            os.rmdir(entry.path)
        else:
            os.remove(entry.path)


def check(col, case):
    media = col.media.dir()
    clear(media)
    col.db.execute("delete from notes")
    for i, (notetype, flds) in enumerate(case["notes"] or []):
        mid = col.models.id_for_name(notetype)
        col.db.execute("insert into notes values (?, ?, ?, 0, 0, '', ?, '', 0, 0, '')", i + 1, f"g{i}", mid, flds)
    for name, content in case["files"] or []:
        write(media, name, content)
    try:
        result = col.media.check()
    except BaseException as error:  # it may panic
        return {"error": str(error) or repr(error)}
    return {"missing": list(result.missing), "unused": list(result.unused), "report": result.report}


def main():
    folder = tempfile.mkdtemp()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a panic is told at length
    col = Collection(folder + "/collection.anki2")
    svg = col.models.copy(col.models.by_name("Basic"), add=False)
    svg["name"], svg["latexsvg"] = "SVG", True
    col.models.add(svg)
    results = [check(col, case) for case in json.load(sys.stdin)]
    col.close()
    shutil.rmtree(folder)
    print(json.dumps(results))


main()
