// The messages between page and worker about collection packages (.colpkg).

import type { SetAside } from "./mediaprotocol.ts";

/** The result of an import. */
export interface ImportReport {
  /** The id of the backup of the collection that was replaced. */
  backup: string;
  /** How many media files were stored; those that were here already do not count. */
  media: number;
  /** Media files that were left out, and why. */
  set_aside: SetAside[];
}

/** The calls about packages, by name: parameters and result. */
export interface PackageCalls {
  exportFile: [{ media: boolean }, Blob];
  importFile: [{ file: Blob }, ImportReport];
}
