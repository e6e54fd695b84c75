// Hooks for React (cardferry/react). React is the app's own; nothing of it is in the package.

import { useEffect, useRef, useState, useSyncExternalStore, type DetailedHTMLProps, type HTMLAttributes } from "react";
import { Cardferry, type MediaState, type OpenOptions, type Status, type SyncError } from "./index.ts";
import { NOTHING } from "./protocol.ts";
import type { CardferrySyncButton, SyncButtonEvents } from "./sync-button.ts";

/** The element of `cardferry/sync-button` in JSX: React 19 sets properties, and listens to events by their names. */
export type SyncButtonProps = DetailedHTMLProps<HTMLAttributes<CardferrySyncButton>, CardferrySyncButton> &
  Partial<Pick<CardferrySyncButton, "ferry" | "words">> & { "no-media"?: boolean } & {
    [E in keyof SyncButtonEvents as `on${E}`]?: (event: SyncButtonEvents[E]) => void;
  };
declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "cardferry-sync-button": SyncButtonProps;
    }
  }
}

/** What {@link useFerry} knows. */
export interface Opened {
  /** The open profile; null until it is open. */
  ferry: Cardferry | null;
  /** Why it could not be opened. */
  error: SyncError | null;
}

/** What {@link useMedia} knows of a file. */
export interface MediaFile {
  /** An address for `<img>` and `<audio>`; null until there is one. */
  url: string | null;
  /** Where the file is; null until that is known. */
  state: MediaState | null;
  /** Why there is no address, other than that no one has the file. */
  error: SyncError | null;
}

const CLOSED: Opened = { ferry: null, error: null };
const UNKNOWN: MediaFile = { url: null, state: null, error: null };

/**
 * Opens a profile while the component is mounted. Another profile, endpoint or client name closes it and opens that one;
 * other options count when it is opened.
 */
export function useFerry(options: OpenOptions = {}): Opened {
  const [opened, setOpened] = useState({ ...CLOSED, of: "" });
  const latest = useRef(options);
  latest.current = options;
  const { profile, endpoint, clientName } = options;
  const of = JSON.stringify([profile, endpoint && String(endpoint), clientName]); // a URL is another one in each drawing
  useEffect(() => {
    let mounted = true;
    const opening = Cardferry.open(latest.current);
    opening.then(
      (ferry) => mounted && setOpened({ ferry, error: null, of }),
      (error: SyncError) => mounted && setOpened({ ferry: null, error, of }),
    );
    return () => {
      mounted = false;
      setOpened({ ...CLOSED, of: "" });
      // What is still to be sent is in the collection; a failure to close has nobody to be told.
      opening.then((ferry) => ferry.close()).catch(() => {});
    };
  }, [of]);
  // Until the effect has run it is the one before that is open: nobody may write there what is meant for this one.
  return opened.of === of ? opened : CLOSED;
}

/** The status of a profile; that of one of which nothing is known, while ferry is null. */
export function useSyncStatus(ferry: Cardferry | null): Status {
  const subscribe = useRef<{ ferry: Cardferry | null; to: (changed: () => void) => () => void }>(undefined);
  if (subscribe.current?.ferry !== ferry) {
    subscribe.current = { ferry, to: (changed) => ferry?.subscribe(changed) ?? (() => {}) };
  }
  return useSyncExternalStore(subscribe.current!.to, () => ferry?.status ?? NOTHING, () => NOTHING);
}

/**
 * A media file of a profile. One that is still to come is fetched, and its address is there once it is; so it is for one that
 * a later sync or another tab brings.
 */
export function useMedia(ferry: Cardferry | null, name: string | null): MediaFile {
  const [shown, setShown] = useState({ ferry, name, file: UNKNOWN });
  useEffect(() => {
    if (!ferry || !name) return;
    let turn = 0; // an answer to an earlier question is dropped
    const look = async (): Promise<void> => {
      const mine = ++turn;
      const show = (change: Partial<MediaFile>): void => {
        if (mine !== turn) return;
        setShown((before) => ({ ferry, name, file: { ...(isOf(before, ferry, name) ? before.file : UNKNOWN), error: null, ...change } }));
      };
      try {
        const state = await ferry.media.state(name);
        show(state === "missing" ? { url: null, state } : { state });
        if (state === "missing") return;
        const url = await ferry.media.url(name);
        show({ url });
      } catch (e) {
        const error = e as SyncError; // as all that the package rejects with
        show(error.kind === "not_found" ? { url: null, state: "missing" } : { url: null, error });
      }
    };
    const end = ferry.media.subscribe((changes) => {
      if (changes.some((change) => change.name === String(name).normalize("NFC"))) void look();
    });
    void look();
    return () => {
      turn = -1;
      end();
    };
  }, [ferry, name]);
  return isOf(shown, ferry, name) ? shown.file : UNKNOWN;
}

/** Whether that is known of this file: a picture must not be shown for a moment under the name of the next one. */
function isOf<F, N>(shown: { ferry: F; name: N }, ferry: F, name: N): boolean {
  return shown.ferry === ferry && shown.name === name;
}
