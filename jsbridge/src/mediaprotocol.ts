// The messages between page and worker about media files.

/** A file that a media sync left out, and why (contract §3). */
export interface SetAside {
  name: string;
  reason: string;
}

/** The result of a media sync (contract §3): numbers of files. */
export interface MediaReport {
  /** Deletions held back; a page holds none, as it sends only what its user has deleted. */
  held: number;
  downloaded: number;
  uploaded: number;
  deleted_local: number;
  deleted_remote: number;
  set_aside: SetAside[];
  round_trips: number;
  new_endpoint: string;
  /** Something that the sync could not repair, mostly "". */
  warning?: string;
}

/** The result of a check of the media files (contract §3). */
export interface MediaCheckReport {
  missing: string[];
  unused: string[];
  template_missing: { notetype: string; template: string; name: string }[];
  /** Unused files that were moved to the trash, and that were left all the same. */
  trashed: number;
  kept: number;
}

/** Where a file is: in this browser; on the server, to be fetched; nowhere that is known. */
export type MediaState = "here" | "coming" | "missing";

/** A file that is here now, or is not any more. */
export interface MediaChange {
  name: string;
  state: "here" | "missing";
}

/** How many files are here, and how many there are with those to come. */
export interface MediaCount {
  done: number;
  total: number;
}

/** The calls about media files, by name: parameters and result. */
export interface MediaCalls {
  mediaSync: [null, MediaReport];
  mediaGet: [{ name: string }, Blob];
  mediaAdd: [{ name: string; content: Blob }, string];
  mediaRemove: [{ name: string }, null];
  mediaCheck: [{ apply: boolean }, MediaCheckReport];
  mediaState: [{ name: string }, MediaState];
}
