// Collection packages (.colpkg): what the worker does about them.

import type { ImportReport } from "./colpkgprotocol.ts";
import type { Profile } from "./profile.ts";
import { FILES } from "./protocol.gen.ts";

/** The media type of a package. */
const TYPE = "application/zip";

/** Where the media files of the profile lie, which is opened before they are read or written. */
interface Store {
  ready(): Promise<void>;
}

/** Writes a package and returns it. The browser keeps it, on disk if it is large. */
export async function exportFile(
  profile: Profile,
  store: Store,
  params: { media: boolean },
  options: { signal?: AbortSignal } = {},
): Promise<Blob> {
  if (params.media) await store.ready();
  const { file } = (await profile.call("exportFile", params, options)) as { file: string };
  return profile.take(file, TYPE);
}

/** Replaces collection and media files by those of a package. Errors: `damaged_file`, `unsupported_file`, with nothing changed. */
export async function importFile(
  profile: Profile,
  store: Store,
  { file: content }: { file: Blob },
  options: { signal?: AbortSignal } = {},
): Promise<ImportReport> {
  await store.ready();
  const file = `${FILES.staging}import-${crypto.randomUUID()}.colpkg`;
  await profile.stage(file, content, options.signal);
  try {
    return (await profile.call("importFile", { file }, options)) as ImportReport;
  } finally {
    profile.unstage(file);
  }
}

/** Has the index learn of the media files of a package, which it does when somebody looks; a media sync that runs now does so itself. */
export async function indexMedia(profile: Profile, { media }: ImportReport): Promise<void> {
  if (media > 0) await profile.call("mediaCheck", { apply: false, evictable: true }).catch(() => {});
}
