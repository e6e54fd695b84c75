// A film of a card, over everything else while it plays. Escape, a tap and its end close it.

import { useLayoutEffect, useRef } from "preact/hooks";
import { texts } from "../texts.ts";
import { closeDialog, IconButton } from "../ui/parts.tsx";
import { film } from "./player.ts";

/** Shows the film that plays, if one does. */
export function Film() {
  const now = film.value;
  return now && <Screen key={now.name} video={now.video} name={now.name} />;
}

function Screen(p: { video: HTMLVideoElement; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => { // as in Sheet: the focus goes back while the dialog is still there
    const shown = dialog.current;
    place.current?.replaceChildren(p.video);
    shown?.showModal();
    return () => closeDialog(shown);
  }, [p.video]);
  const end = (): void => p.video.pause();
  return (
    <dialog ref={dialog} class="film" aria-label={texts.study.film(p.name)} onClick={end} onClose={end}>
      <div ref={place} />
      <IconButton icon="close" label={texts.common.close} onClick={end} />
    </dialog>
  );
}
