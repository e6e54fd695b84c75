// Light and dark.

import { computed, effect, signal } from "@preact/signals";
import { recall, remember } from "./remembered.ts";

/** The themes to choose from. */
export type Theme = "system" | "light" | "dark";

const KEY = "cardferry.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = signal(systemDark.matches);

function stored(): Theme {
  const value = recall(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

/** The chosen theme; setting it takes effect at once. */
export const theme = signal<Theme>(stored());
/** Whether it is dark now. */
export const night = computed(() => (theme.value === "system" ? isDark.value : theme.value === "dark"));

/** Follows the choice and the system. */
export function startTheme(): void {
  systemDark.addEventListener("change", (e) => (isDark.value = e.matches));
  effect(() => {
    if (theme.value === "system") {
      delete document.documentElement.dataset.theme;
      remember(KEY, null);
    } else {
      document.documentElement.dataset.theme = theme.value;
      remember(KEY, theme.value);
    }
  });
}
