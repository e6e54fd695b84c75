// Plays the sounds and films of a card, one after the other. Texts are spoken by the browser.

import { signal } from "@preact/signals";
import { mediaFile, type Sound } from "../api.ts";
import { say } from "../ferry.ts";
import { texts } from "../texts.ts";

/** Files that may be films; whether one is, its pictures say. */
const FILM = /\.(mp4|m4v|mov|webm|ogv|mpe?g|mkv|avi|3gp)$/i;

/** The film that plays, which is shown over everything else (Film.tsx). When it is paused it ends. */
export const film = signal<{ video: HTMLVideoElement; name: string } | null>(null);

/** The sounds of one card. */
export class Player {
  readonly #sounds: Record<"q" | "a", readonly Sound[]>;
  #run = 0;
  #playing: HTMLMediaElement | null = null;

  constructor(question: readonly Sound[], answer: readonly Sound[]) {
    this.#sounds = { q: question, a: answer };
  }

  /** Plays all of a side; what the browser does not allow before a first tap stays silent. */
  playSide(side: "q" | "a"): void {
    void this.#all(this.#sounds[side], false);
  }

  /** Plays all of a side because somebody asked. */
  again(side: "q" | "a"): void {
    void this.#all(this.#sounds[side], true);
  }

  /** Plays one. */
  play(side: "q" | "a", index: number): void {
    const sound = this.#sounds[side][index];
    if (sound) void this.#all([sound], true);
  }

  /** Ends what is playing. */
  stop(): void {
    this.#run++;
    this.#playing?.pause();
    window.speechSynthesis?.cancel(); // Android's WebView has none
  }

  async #all(sounds: readonly Sound[], asked: boolean): Promise<void> {
    this.stop();
    const run = this.#run;
    for (const sound of sounds) {
      if (run !== this.#run) return;
      await ("file" in sound ? this.#file(sound.file, asked) : speak(sound));
    }
  }

  async #file(name: string, asked: boolean): Promise<void> {
    const run = this.#run;
    const blob = await mediaFile(name).catch(() => null);
    if (run !== this.#run) return;
    if (!blob) {
      if (asked) say(texts.study.noSound(name));
      return;
    }
    const url = URL.createObjectURL(blob);
    const playing = FILM.test(name) ? document.createElement("video") : new Audio();
    playing.src = url;
    this.#playing = playing;
    try {
      await playing.play();
      if (run !== this.#run) return;
      const end = new Promise((done) => (playing.onended = playing.onpause = playing.onerror = done));
      if (playing instanceof HTMLVideoElement && playing.videoWidth > 0) film.value = { video: playing, name };
      await end;
    } catch {
      if (asked && run === this.#run) say(texts.study.cannotPlay(name)); // else the browser waits for a tap first
    } finally {
      playing.pause();
      if (film.value?.video === playing) film.value = null;
      URL.revokeObjectURL(url);
    }
  }
}

function speak(sound: { text: string; lang: string }): Promise<unknown> {
  if (!("speechSynthesis" in window)) return Promise.resolve();
  const utterance = new SpeechSynthesisUtterance(sound.text);
  utterance.lang = sound.lang.replace("_", "-");
  return new Promise((done) => {
    utterance.onend = utterance.onerror = done;
    speechSynthesis.speak(utterance);
  });
}
