// The search of Browse: words, and parts such as deck:Spanish. It becomes one SQL condition with parameters.

import type { Param } from "cardferry";

/** A condition on cards c and notes n. */
export interface Condition {
  sql: string;
  params: Param[];
}

const STATES = new Map([
  ["new", "c.type = 0"],
  ["learn", "c.queue IN (1, 3)"],
  ["review", "c.type = 2"],
  ["suspended", "c.queue = -1"],
  ["buried", "c.queue IN (-2, -3)"],
]);

/** Returns the condition for a search on a given day of the collection. */
export function condition(search: string, today: number): Condition {
  const parts = split(search).map((part) => one(part, today));
  if (parts.length === 0) return { sql: "1", params: [] };
  return { sql: parts.map((p) => p.sql).join(" AND "), params: parts.flatMap((p) => p.params) };
}

/** Splits at spaces outside of quotes: deck:"A b" c has two parts. */
function split(search: string): string[] {
  return [...search.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].map((m) => m[0].replaceAll('"', "")).filter((part) => part !== "" && part !== "-");
}

function one(part: string, today: number): Condition {
  if (part.startsWith("-")) {
    const c = one(part.slice(1), today);
    return { sql: `NOT (${c.sql})`, params: c.params };
  }
  const at = part.indexOf(":");
  const key = part.slice(0, at).toLowerCase();
  const value = part.slice(at + 1);
  if (at > 0 && value !== "") {
    const c = named(key, value, today);
    if (c) return c;
  }
  return { sql: "n.flds LIKE ? ESCAPE '\\'", params: [`%${like(part)}%`] };
}

function named(key: string, value: string, today: number): Condition | undefined {
  switch (key) {
    case "deck": {
      const name = like(value.replaceAll("::", "\x1f"));
      // A card in a filtered deck is in the deck that it comes from as well.
      const sql = "EXISTS (SELECT 1 FROM decks WHERE id IN (c.did, c.odid) AND (name LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\'))";
      return { sql, params: [name, `${name}\x1f%`] };
    }
    case "tag":
      return { sql: "(n.tags LIKE ? ESCAPE '\\' OR n.tags LIKE ? ESCAPE '\\')", params: [`% ${like(value)} %`, `% ${like(value)}::%`] };
    case "flag":
      return /^[0-7]$/.test(value) ? { sql: "c.flags & 7 = ?", params: [Number(value)] } : undefined;
    case "nid":
    case "cid":
      return /^\d+$/.test(value) ? { sql: `${key === "nid" ? "n" : "c"}.id = ?`, params: [BigInt(value)] } : undefined;
    case "is":
      return state(value.toLowerCase(), today);
  }
  return undefined;
}

function state(value: string, today: number): Condition | undefined {
  if (value === "due") return { sql: "(c.queue IN (2, 3) AND c.due <= ? OR c.queue = 1)", params: [today] };
  const sql = STATES.get(value);
  return sql ? { sql, params: [] } : undefined;
}

/** Text in a LIKE pattern; * stands for anything. */
function like(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&").replaceAll("*", "%");
}
