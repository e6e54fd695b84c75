"""The media operations of agent.py, before which this text is put."""
import base64


def op_media_add(name, a):
    """Adds a file as if a user inserted it into a note; returns the name that it got."""
    return COLS[name].media.write_data(a["name"], base64.b64decode(a["data"]))


def op_media_trash(name, a):
    COLS[name].media.trash_files(a["names"])


def op_media_empty_trash(name, a):
    COLS[name].media.empty_trash()


def op_media_restore_trash(name, a):
    COLS[name].media.restore_trash()


def op_media_forget(name, a):
    """Forgets what was synced, as logging out does."""
    COLS[name].media.force_resync()


def op_media_check(name, a):
    r = COLS[name].media.check()
    return {"unused": list(r.unused), "missing": list(r.missing), "notes": list(r.missing_media_notes), "report": r.report,
            "trash": r.have_trash}


def op_media_start(name, a):
    """Starts a sync, which runs in a thread of the library."""
    COLS[name].sync_media(auth(a))


def op_media_wait(name, a):
    """Waits for the end of a running sync; raises the error that it ended with, once."""
    col = COLS[name]
    while True:
        s = col.media_sync_status()
        if not s.active:
            return {"added": s.progress.added, "removed": s.progress.removed, "checked": s.progress.checked}
        time.sleep(0.002)


def op_media_sync(name, a):
    op_media_start(name, a)
    return op_media_wait(name, a)


def op_media_abort(name, a):
    COLS[name].abort_media_sync()


