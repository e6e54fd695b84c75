"""What the real program calls files that are added. Reads a JSON list of [name, content] lists, one folder each, and prints
the names in the same shape; null where adding fails.
"""

import json
import os
import shutil
import sys
import tempfile

from anki.collection import Collection


def add(col, name, content):
    try:
        return col.media.write_data(name, content.encode())
    except Exception:
        return None


def main():
    folder = tempfile.mkdtemp()
    col = Collection(folder + "/collection.anki2")
    results = []
    for case in json.load(sys.stdin):
        results.append([add(col, name, content) for name, content in case])
        for name in os.listdir(col.media.dir()):
            os.remove(os.path.join(col.media.dir(), name))
    col.close()
    shutil.rmtree(folder)
    print(json.dumps(results))


main()
