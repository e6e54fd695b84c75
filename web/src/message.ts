// The messages in which the collection keeps what has no columns: templates, options of decks.

const BYTES = 2; // the wire type of a text, and of a message in a message

/** The numbers, texts and messages in a message, by their number there; other members are passed over. What does not parse ends the reading. */
export function members(message: unknown): Map<number, Uint8Array | number> {
  const found = new Map<number, Uint8Array | number>();
  const bytes = message instanceof Uint8Array ? message : new Uint8Array();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const b = bytes[at++] ?? 0;
      value += (b & 127) * scale;
      if (b < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (wire === BYTES) {
      const length = varint();
      found.set(number, bytes.subarray(at, at + length));
      at += length;
    } else if (wire === 0) found.set(number, varint());
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else break;
  }
  return found;
}
