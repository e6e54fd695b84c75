"""Makes the demonstration collection with the real Anki: deck.py FILE. Pictures and sounds are drawn and computed here."""

import io
import math
import random
import struct
import sys
import time
import wave

from anki.collection import Collection

SKY, SEA, SAND, INK, RED, WHITE, SUN = "#cfe3f5", "#0f5fa8", "#e8d9b8", "#1b2430", "#b83227", "#ffffff", "#f0c15a"


def svg(*shapes: str, ground: str = SKY) -> bytes:
    body = "".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 200" width="320" height="200"><rect width="320" height="200" fill="{ground}"/>{body}</svg>'.encode()


def sea(top: int = 150) -> str:
    waves = "".join(f"q20 -14 40 0t40 0" for _ in range(4))
    return f'<path d="M0 {top}{waves}V200H0z" fill="{SEA}"/>'


def poly(points: str, fill: str) -> str:
    return f'<polygon points="{points}" fill="{fill}"/>'


def rect(x: float, y: float, w: float, h: float, fill: str, r: float = 0) -> str:
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}"/>'


def dot(x: float, y: float, r: float, fill: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>'


def line(path: str, colour: str = INK, width: int = 6) -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"/>'


PICTURES = {
    "barco.svg": svg(dot(262, 44, 22, SUN), poly("160,30 160,128 92,128", WHITE), poly("168,52 168,128 222,128", RED), line("M164 24V140"), poly("70,136 250,136 222,172 98,172", INK), sea(160)),
    "transbordador.svg": svg(rect(96, 70, 120, 34, WHITE, 4), rect(120, 44, 60, 28, WHITE, 4), rect(188, 34, 20, 36, RED, 3), *[dot(114 + i * 28, 87, 7, SEA) for i in range(4)], poly("44,104 280,104 254,158 70,158", INK), sea(146)),
    "faro.svg": svg(poly("160,58 320,20 320,86", "#f7e6b8"), poly("138,72 182,72 198,178 122,178", WHITE), poly("134,98 186,98 189,118 131,118", RED), poly("128,140 192,140 196,160 125,160", RED), rect(140, 46, 40, 28, SUN, 3), poly("132,46 188,46 160,22", INK), poly("0,178 320,160 320,200 0,200", SAND)),
    "ola.svg": svg(f'<path d="M0 168C60 168 70 60 160 60c60 0 78 44 58 62-14 12-36 4-34-14-30 6-40 42-6 60H320V200H0z" fill="{SEA}"/>', line("M120 92c12-12 26-16 40-16", WHITE, 5)),
    "muelle.svg": svg(dot(60, 50, 20, SUN), sea(140), rect(110, 104, 210, 16, "#8a5a2b", 2), *[rect(130 + i * 60, 116, 12, 76, "#6e4520") for i in range(4)]),
    "maleta.svg": svg(rect(78, 72, 164, 104, "#8a5a2b", 14), line("M128 72V52h64v20", INK, 8), rect(104, 72, 14, 104, "#6e4520"), rect(202, 72, 14, 104, "#6e4520"), rect(144, 112, 32, 18, SUN, 4), ground="#f1ece2"),
    "puente.svg": svg(sea(150), line("M0 128H320", INK, 10), line("M0 128C60 40 100 40 160 128C220 40 260 40 320 128", RED, 6), rect(76, 52, 10, 120, INK), rect(234, 52, 10, 120, INK)),
    "ancla.svg": svg(line("M160 66V166M120 92H200M92 128c6 40 62 44 68 44s62-4 68-44", INK, 12), f'<circle cx="160" cy="48" r="16" fill="none" stroke="{INK}" stroke-width="10"/>', ground="#e7eff7"),
}

WORDS = [
    ("el barco", "the ship", "barco.svg", None),
    ("el transbordador", "the ferry", "transbordador.svg", "bocina.wav"),
    ("el faro", "the lighthouse", "faro.svg", None),
    ("la ola", "the wave", "ola.svg", "ola.wav"),
    ("el muelle", "the quay", "muelle.svg", None),
    ("la maleta", "the suitcase", "maleta.svg", None),
    ("el puente", "the bridge", "puente.svg", None),
    ("el ancla", "the anchor", "ancla.svg", "campana.wav"),
    ("el puerto", "the harbour", None, None),
    ("la llegada", "the arrival", None, None),
    ("la salida", "the departure", None, None),
    ("el viento", "the wind", None, None),
    ("la cubierta", "the deck of a ship", None, None),
    ("el pasajero", "the passenger", None, None),
    ("el billete", "the ticket", None, None),
    ("la orilla", "the shore", None, None),
]
CLOZES = [
    "A ship floats because the water that it {{c1::displaces}} weighs as much as the {{c2::ship}}.",
    "A nautical mile is {{c1::1,852}} metres.",
    "Port is the {{c1::left}} side of a ship and carries a {{c2::red::colour}} light.",
]
FORMULAS = [
    ("What is the speed of a long wave in water of depth \\(h\\)?", "\\[ c = \\sqrt{g h} \\]"),
    ("What does Archimedes' principle say of the buoyant force?", "\\[ F = \\rho \\, V g \\]"),
    ("How far is the horizon from the height \\(h\\)?", "\\[ d \\approx \\sqrt{2 R h} \\]"),
]


def tone(seconds: float, value) -> bytes:
    """A sound as a WAV file: value(t) is between -1 and 1."""
    rate = 16000
    out = io.BytesIO()
    with wave.open(out, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        n = int(seconds * rate)
        f.writeframes(b"".join(struct.pack("<h", int(20000 * value(i / rate) * min(1, i / 400, (n - i) / 1600))) for i in range(n)))
    return out.getvalue()


def sounds() -> dict[str, bytes]:
    noise = random.Random(1)
    last = [0.0]

    def surf(t: float) -> float:
        last[0] += 0.06 * (noise.uniform(-1, 1) - last[0])
        return 3 * last[0] * math.sin(math.pi * t / 1.6) ** 2

    def horn(t: float) -> float:
        return sum(math.sin(2 * math.pi * f * t) / 4 for f in (98, 147, 196, 294))

    def bell(t: float) -> float:
        return math.exp(-3 * t) * sum(math.sin(2 * math.pi * f * t) / 3 for f in (880, 1320, 2217))

    return {"ola.wav": tone(1.6, surf), "bocina.wav": tone(1.2, horn), "campana.wav": tone(1.2, bell)}


def add(col: Collection, kind: str, deck: str, fields: list[str], tags: list[str]) -> None:
    note = col.new_note(col.models.by_name(kind))
    note.fields = fields
    note.tags = tags
    col.add_note(note, col.decks.id(deck))


def cards(col: Collection) -> None:
    for spanish, english, picture, sound in WORDS:
        back = f"<div>{english}</div>"
        front = spanish + (f" [sound:{sound}]" if sound else "")
        add(col, "Basic", "Spanish::At the harbour", [front, back + (f'<br><img src="{picture}">' if picture else "")], ["harbour"])
    for spanish, english in (("¿Cuándo sale el barco?", "When does the ship leave?"), ("¿Dónde está el muelle?", "Where is the quay?")):
        add(col, "Basic (type in the answer)", "Spanish::Sentences", [english, spanish], ["harbour", "questions"])
    for text in CLOZES:
        add(col, "Cloze", "Seafaring", [text, ""], ["ships"])
    for question, answer in FORMULAS:
        add(col, "Basic", "Seafaring", [question, answer], ["physics"])
    spanish = col.decks.by_name("Spanish")
    spanish["collapsed"] = False
    col.decks.save(spanish)


def history(col: Collection) -> None:
    """Some weeks of study: reviews of past days, and cards that are due."""
    dice = random.Random(7)
    now = int(time.time() * 1000)
    for i, card_id in enumerate(col.find_cards("deck:Spanish")):
        if i % 4 == 3:
            continue  # stays new
        days = sorted({dice.randint(1, 29) for _ in range(dice.randint(4, 9))}, reverse=True)
        for n, ago in enumerate(days):
            ease = dice.choice([1, 2, 3, 3, 3, 3, 4])
            col.db.execute(
                "insert or ignore into revlog values (?,?,-1,?,?,?,2500,?,?)",
                now - ago * 86400000 - dice.randint(0, 6000000), card_id, ease, n + 1, n, dice.randint(3000, 14000), 0 if n == 0 else 1)
        due = col.sched.today + dice.choice([-2, -1, 0, 0, 0, 1, 3, 9])
        col.db.execute(
            "update cards set type=2, queue=2, due=?, ivl=?, factor=2500, reps=?, usn=-1, data=? where id=?",
            due, dice.choice([2, 5, 12, 30]), len(days), '{"lrt":%d}' % (now // 1000 - days[-1] * 86400), card_id)


def make(path: str) -> None:
    col = Collection(path)
    try:
        for name, content in {**PICTURES, **sounds()}.items():
            if col.media.write_data(name, content) != name:
                raise SystemExit(f"{name} was renamed")
        cards(col)
        history(col)
        col.fix_integrity()  # what was written past the library is put in order
    finally:
        col.close()


if __name__ == "__main__":
    make(sys.argv[1])
