"""What the real program makes of a collection file. Prints one JSON value.

open FILE            opens and closes it
check FILE           runs the database check: its report
study FILE           adds a note of every notetype, answers cards, checks again
upload FILE FOLDER   uploads it to a server of its own and downloads it again, into FOLDER
day FILE             day number and next day, after the automatic unburying
"""

import json
import os
import re
import subprocess
import sys

from anki.collection import Collection
from anki.decks import DeckId


def check(col):
    text, ok = col.fix_integrity()
    return {"ok": ok, "text": text}


def study(col):
    added = 0
    for entry in col.models.all_names_and_ids():
        note = col.new_note(col.models.get(entry.id))
        for i in range(len(note.fields)):
            note.fields[i] = f"{{{{c1::{entry.name} {i}}}}}"
        if entry.name == "Image Occlusion":
            note.fields[0] = "{{c1::image-occlusion:rect:left=.1:top=.1:width=.2:height=.2}}"
        col.add_note(note, DeckId(1))
        added += len(note.cards())
    answered = 0
    while (card := col.sched.getCard()) is not None and answered < 3:
        card.render_output()
        col.sched.answerCard(card, 3)
        answered += 1
    report = check(col)
    return {**report, "cards": added, "answered": answered}


def start_server(folder):
    env = {**os.environ, "SYNC_USER1": "u:p", "SYNC_HOST": "127.0.0.1", "SYNC_PORT": "0", "SYNC_BASE": folder + "/server"}
    server = subprocess.Popen([sys.executable, "-m", "anki.syncserver"], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    for line in server.stdout:  # the first line says where it listens
        if match := re.search(r"127\.0\.0\.1:(\d+)", line):
            return server, f"http://127.0.0.1:{match[1]}/"
    raise RuntimeError("the server does not start")


def upload(path, folder):
    server, endpoint = start_server(folder)
    try:
        results = []
        for name, up in ((path, True), (folder + "/second.anki2", False)):
            col = Collection(name)
            auth = col.sync_login("u", "p", endpoint)
            auth.endpoint = endpoint
            required = col.sync_collection(auth, False).required
            if required in (2, 3, 4):
                col.close_for_full_sync()
                col.full_upload_or_download(auth=auth, server_usn=None, upload=up)
                col.reopen(after_full_sync=True)
            results.append({"required": required, "after": col.sync_collection(auth, False).required, **check(col)})
            col.close()
        return results
    finally:
        server.kill()
        server.wait()


def main():
    mode, path = sys.argv[1:3]
    if mode == "upload":
        return upload(path, sys.argv[3])
    col = Collection(path)
    try:
        if mode == "check":
            return check(col)
        if mode == "study":
            return study(col)
        if mode == "day":
            timing = col._backend.sched_timing_today()
            return {"day": timing.days_elapsed, "next": timing.next_day_at}
        return True
    finally:
        col.close()


print(json.dumps(main()))
