"""One face, drawn: friendly, obviously no photograph, the same picture for the same number.

The pen draws in whole pixels on a canvas twice the size of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from fer_audit.rng import stage_rng

SIDE = 200
"""Pixels along each edge of a finished picture."""
CANVAS = 2 * SIDE
"""Drawn at twice the size and averaged down: edges come out smooth, and no font or filter is needed."""

PLACES = ("garden", "studio")
HAIRS = ("long", "short")
EXPRESSIONS = ("happy", "neutral", "sad", "surprise")

Colour: TypeAlias = tuple[int, int, int]
Pen: TypeAlias = ImageDraw.ImageDraw

_LIGHT = {"garden": (250, 248, 240), "studio": (222, 196, 196)}
"""Colour that a white shirt has there."""
_SKINS = (
    *((255, 224, 196), (246, 206, 170), (232, 184, 142), (214, 160, 116)),
    *((190, 134, 92), (160, 108, 72), (128, 84, 56), (98, 64, 44)),
)
_HAIR_COLOURS = (
    *((38, 30, 28), (70, 46, 34), (104, 66, 40), (140, 92, 50)),
    *((176, 128, 70), (212, 172, 104), (160, 74, 40), (150, 146, 146)),
)
_SHIRTS = (
    *((228, 90, 80), (245, 166, 66), (240, 210, 90), (110, 180, 110)),
    *((80, 170, 180), (90, 130, 210), (150, 110, 200), (235, 235, 228)),
)
_INK: Colour = (44, 36, 40)


def _oval(pen: Pen, x: int, y: int, radius_x: int, radius_y: int, fill: Colour) -> None:
    """Fill the ellipse around (x, y)."""
    pen.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=fill)


def _mixed(first: Colour, second: Colour, part: int, whole: int = 100) -> Colour:
    """Return the colour `part / whole` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * part // whole for a, b in zip(first, second, strict=True))
    return red, green, blue


def _darker(colour: Colour, per_cent: int) -> Colour:
    return _mixed(colour, (0, 0, 0), per_cent)


def _jittered(colour: Colour, rng: np.random.Generator, *, by: int) -> Colour:
    """Return the colour with up to `by` levels added to or taken from each channel."""
    levels = np.clip(np.array(colour) + rng.integers(-by, by + 1, size=3), 0, 255)
    red, green, blue = levels.tolist()
    return red, green, blue


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a head is on the canvas, and its colours; random, and independent of every label but who it is."""

    x: int
    y: int
    half_width: int
    half_height: int
    skin: Colour
    hair: Colour
    shirt: Colour
    has_glasses: bool


def draw_face(
    number: int, *, person: int, place: str, hair: str, expression: str, seed: int
) -> Image.Image:
    """Return picture `number`, 200 x 200 RGB.

    The place decides backdrop and light, the expression mouth, eyes and brows.
    Skin, colours, glasses and the shape of the head come from the person, the way it is held from the number.
    """
    rng = stage_rng(seed, "synth", "face", str(number))
    who = stage_rng(seed, "synth", "person", str(person))
    head = _Head(
        x=200 + int(rng.integers(-14, 15)),
        y=206 + int(rng.integers(-10, 11)),
        half_width=82 + int(who.integers(-6, 7)),
        half_height=100 + int(who.integers(-6, 7)),
        skin=_SKINS[int(who.integers(0, len(_SKINS)))],
        hair=_HAIR_COLOURS[int(who.integers(0, len(_HAIR_COLOURS)))],
        shirt=_SHIRTS[int(who.integers(0, len(_SHIRTS)))],
        has_glasses=int(who.integers(0, 6)) == 0,
    )
    image = Image.new("RGB", (CANVAS, CANVAS))
    pen = ImageDraw.Draw(image)
    if place == "garden":
        _draw_garden(pen, rng)
    else:
        _draw_studio(pen, rng)
    if hair == "long":
        _draw_long_hair_behind(pen, head)
    _draw_bust(pen, head)
    if hair == "long":
        _draw_parted_hair(pen, head)
    else:
        _draw_short_hair(pen, head)
    _draw_features(pen, head, expression)
    light = Image.new("RGB", image.size, _jittered(_LIGHT[place], rng, by=5))
    return ImageChops.multiply(image, light).reduce(CANVAS // SIDE)


def copied(image: Image.Image, number: int, *, seed: int) -> Image.Image:
    """Return a picture as it is found a second time: its edges cut off, a little brighter or darker."""
    rng = stage_rng(seed, "synth", "copy", str(number))
    left, top = (int(x) for x in rng.integers(0, 3, size=2))
    cut = image.crop((left, top, SIDE - 2 + left, SIDE - 2 + top)).resize((SIDE, SIDE))
    light = 0.94 if rng.random() < 0.5 else 1.06
    return cut.point(lambda level: min(255, round(level * light)))


def _draw_garden(pen: Pen, rng: np.random.Generator) -> None:
    """Draw a sky, a sun, two clouds, two hills and flowers."""
    top, horizon = _jittered((110, 190, 240), rng, by=10), (222, 243, 252)
    for band in range(20):
        box = (0, band * CANVAS // 20, CANVAS, (band + 1) * CANVAS // 20)
        pen.rectangle(box, fill=_mixed(top, horizon, band, 20))
    _oval(pen, int(rng.integers(40, 361)), int(rng.integers(30, 61)), 34, 34, (255, 221, 89))
    for side in (0, 1):
        x, y = 40 + 250 * side + int(rng.integers(0, 71)), int(rng.integers(60, 131))
        for dx, dy, radius in ((-28, 6, 18), (0, -4, 26), (30, 6, 20)):
            _oval(pen, x + dx, y + dy, radius, radius * 3 // 4, (250, 252, 255))
    far, near = _jittered((132, 198, 106), rng, by=10), _jittered((92, 170, 84), rng, by=10)
    _oval(pen, int(rng.integers(240, 361)), 360, 260, int(rng.integers(120, 151)), far)
    _oval(pen, int(rng.integers(40, 141)), 400, 280, int(rng.integers(120, 151)), near)
    pen.rectangle((0, 360, CANVAS, CANVAS), fill=near)
    for _ in range(26):
        x, y = int(rng.integers(0, CANVAS)), int(rng.integers(300, CANVAS))
        petal = ((255, 255, 255), (255, 214, 90), (250, 140, 170))[int(rng.integers(0, 3))]
        _oval(pen, x, y, 6, 6, petal)
        _oval(pen, x, y, 2, 2, (230, 150, 40))


def _draw_studio(pen: Pen, rng: np.random.Generator) -> None:
    """Draw a curtain with folds, and a string of lamps along the upper edge."""
    dark, bright = _jittered((84, 52, 96), rng, by=8), _jittered((116, 72, 128), rng, by=8)
    pen.rectangle((0, 0, CANVAS, CANVAS), fill=dark)
    for x in range(-int(rng.integers(0, 40)), CANVAS, 40):
        for step in range(4):
            box = (x + 3 * step, 0, x + 22 - 3 * step, CANVAS)
            pen.rectangle(box, fill=_mixed(dark, bright, step + 1, 4))
    start, sag = int(rng.integers(0, 50)), int(rng.integers(10, 31))
    for lamp in range(9):
        x = start + 50 * lamp - 20
        y = 26 + sag - sag * (x - CANVAS // 2) ** 2 // (CANVAS // 2) ** 2
        _oval(pen, x, y, 13, 13, (190, 130, 110))
        _oval(pen, x, y, 8, 8, (255, 226, 150))


def _draw_bust(pen: Pen, head: _Head) -> None:
    """Draw shoulders, neck, ears and skull."""
    chin, shade = head.y + head.half_height, _darker(head.skin, 14)
    _oval(pen, head.x, chin + 112, 150, 92, head.shirt)
    pen.rectangle((head.x - 32, chin - 30, head.x + 32, chin + 26), fill=shade)
    _oval(pen, head.x, chin + 26, 46, 24, shade)
    for side in (-1, 1):
        ear = head.x + side * (head.half_width + 2)
        _oval(pen, ear, head.y + 10, 16, 22, head.skin)
        _oval(pen, ear, head.y + 10, 8, 12, shade)
    _oval(pen, head.x, head.y, head.half_width, head.half_height, head.skin)
    blush = _mixed(head.skin, (240, 110, 110), 28)
    for side in (-1, 1):
        _oval(pen, head.x + side * head.half_width * 58 // 100, head.y + 38, 17, 11, blush)


def _draw_long_hair_behind(pen: Pen, head: _Head) -> None:
    """Draw hair down to the shoulders, in waves."""
    top, bottom = head.y - head.half_height - 24, head.y + head.half_height + 70
    half, middle = head.half_width + 38, head.y - 10
    pen.ellipse((head.x - half, top, head.x + half, 2 * middle - top), fill=head.hair)
    pen.rectangle((head.x - half, middle, head.x + half, bottom), fill=head.hair)
    for side in (-1, 1):
        for step in range(5):
            y = middle + step * (bottom - middle) // 4
            _oval(pen, head.x + side * (half - 8), y, 26, 28, head.hair)
        for step in range(3):
            strand = head.x + side * (half - 4 - 14 * step)
            pen.line((strand, middle, strand, bottom), fill=_darker(head.hair, 18), width=3)


def _draw_parted_hair(pen: Pen, head: _Head) -> None:
    """Draw a parting above the brow."""
    top = head.y - head.half_height - 10
    for side in (-1, 1):
        outer = head.x + side * (head.half_width + 6)
        forehead = [(head.x, top), (head.x, top + 34), (head.x + side * 44, top + 62)]
        pen.polygon([*forehead, (outer, head.y), (outer, top + 30)], fill=head.hair)
    box = (head.x - head.half_width - 6, top - 6, head.x + head.half_width + 6, top + 110)
    pen.chord(box, 200, 340, fill=head.hair)


def _draw_short_hair(pen: Pen, head: _Head) -> None:
    """Draw a crop with sideburns and a quiff to one side; the ears stay free."""
    half, top = head.half_width + 5, head.y - head.half_height - 16
    pen.chord((head.x - half, top, head.x + half, top + 2 * head.half_height), 200, 340, head.hair)
    for side in (-1, 1):
        outer, edge = head.x + side * (half - 6), head.y - 52
        inner = outer - side * 20
        pen.polygon([(outer, edge), (inner, edge), (outer - side * 4, edge + 40)], fill=head.hair)
    for tuft in range(5):
        _oval(pen, head.x - 44 + 24 * tuft, top + 16 - 3 * tuft, 24, 18, head.hair)


def _draw_features(pen: Pen, head: _Head, expression: str) -> None:
    """Draw eyes, brows (raised in surprise, their inner ends up in sadness), nose, mouth and glasses."""
    height = {"happy": 12, "surprise": 20}.get(expression, 15)
    lift, is_sad = {"surprise": 16, "happy": 5}.get(expression, 0), expression == "sad"
    for side in (-1, 1):
        x, y = head.x + side * head.half_width * 44 // 100, head.y - 2
        brow = head.y - 32 - lift
        _oval(pen, x, y, 17, height, (252, 252, 250))
        _oval(pen, x, y, 10, min(height, 12), (74, 56, 44))
        _oval(pen, x, y, 5, 6, _INK)
        _oval(pen, x + 4, y - 4, 3, 3, (255, 255, 255))
        pen.arc((x - 18, y - height - 2, x + 18, y + height + 2), 190, 350, fill=_INK, width=4)
        inner = (x - side * 20, brow - 6 if is_sad else brow)
        outer = (x + side * 20, brow + 12 if is_sad else brow + 5)
        line = (*inner, x, brow - 4, *outer)
        pen.line(line, fill=_darker(head.hair, 25), width=7, joint="curve")
    nose = (head.x - 12, head.y + 8, head.x + 12, head.y + 32)
    pen.arc(nose, 20, 160, fill=_darker(head.skin, 26), width=5)
    x, y = head.x, head.y + head.half_height * 56 // 100
    lips = _mixed(head.skin, (176, 48, 58), 68)
    if expression == "happy":
        pen.chord((x - 36, y - 36, x + 36, y + 28), 10, 170, fill=(126, 34, 44))
        pen.chord((x - 30, y - 30, x + 30, y + 10), 14, 166, fill=(255, 255, 250))
    elif expression == "surprise":
        _oval(pen, x, y + 4, 16, 21, lips)
        _oval(pen, x, y + 4, 10, 15, (96, 26, 36))
    elif expression == "sad":
        pen.arc((x - 28, y, x + 28, y + 38), 205, 335, fill=lips, width=7)
    else:
        pen.arc((x - 28, y - 26, x + 28, y + 10), 40, 140, fill=lips, width=7)
    if head.has_glasses:
        offset = head.half_width * 44 // 100
        for x in (head.x - offset, head.x + offset):
            pen.ellipse((x - 29, head.y - 29, x + 29, head.y + 25), outline=_INK, width=4)
        bridge = (head.x - offset + 29, head.y - 4, head.x + offset - 29, head.y - 4)
        pen.line(bridge, fill=_INK, width=4)
