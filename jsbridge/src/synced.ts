// The result of a sync of both parts, the collection and then the media files (contract §3).

import { SyncError } from "./errors.ts";
import type { MediaReport } from "./mediaprotocol.ts";
import type { SyncReport } from "./protocol.ts";

/** The result when both have come to an end. */
export function together(collection: SyncReport, media: MediaReport): SyncReport {
  return {
    ...collection,
    media,
    round_trips: collection.round_trips + media.round_trips,
    new_endpoint: media.new_endpoint || collection.new_endpoint,
  };
}

/** The error of the media sync, with the result of the collection's beside it. `replaced` says that this was a download. */
export function afterSync(collection: SyncReport, e: SyncError, replaced: boolean): SyncError {
  const received = Object.values(collection.received).some((n) => n > 0);
  return new SyncError(e.kind, e.message, {
    hint: e.hint,
    changed: e.changed || received || replaced,
    details: { ...collection, media: null, ...e.details },
  });
}
