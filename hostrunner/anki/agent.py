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
import time
import traceback
import weakref

from anki._backend import RustBackend
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
    r = col.sync_collection(auth(a), bool(a.get("media")))
    kinds = {v.number: k for k, v in r.DESCRIPTOR.fields_by_name["required"].enum_type.values_by_name.items()}
    out = {"required": kinds[r.required], "message": r.server_message, "new_endpoint": r.new_endpoint,
           "media_usn": r.server_media_usn}
    if a.get("media"):
        op_media_wait(name, a)
    return out


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


def op_export(name, a):
    """Writes a collection package; the library closes the collection for it."""
    col = COLS[name]
    db_of(col)
    col.export_collection_package(a["path"], a.get("media", True), a.get("legacy", False))
    COLS[name] = Collection(col.path)


def op_import(name, a):
    """Makes a collection at col, with a folder beside it, from a collection package."""
    stem = a["col"].removesuffix(".anki2")
    os.makedirs(stem + ".media", exist_ok=True)
    RustBackend().import_collection_package(col_path=a["col"], backup_path=a["path"], media_folder=stem + ".media", media_db=stem + ".mdb")


def op_sql(name, a):
    db = db_of(COLS[name])
    if a.get("many") is not None:
        db.executemany(a["sql"], a["many"])
        return []
    return [[v.hex() if isinstance(v, bytes) else v for v in row] for row in db.all(a["sql"], *a.get("args", []))]


def kilobytes(field):
    """A line of this process's status, 0 where there is none."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith(field))
    except OSError:
        return 0


def op_measure(name, a):
    """Runs an operation; how long it took, and how much memory there was at most beyond what there was before."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # the peak begins anew
    except OSError:
        pass
    before = kilobytes("VmRSS")
    began = time.perf_counter()
    result = globals()["op_" + a["op"]](name, a.get("args") or {})
    return {"seconds": time.perf_counter() - began, "kilobytes": kilobytes("VmHWM") - before, "result": result}


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
