"""The place of a picture: what is behind the face, and the light."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from fer_audit.synth.strokes import CANVAS, Colour, jittered, mixed, oval

PLACES = ("garden", "studio")

_LIGHT = {"garden": (250, 248, 240), "studio": (222, 196, 196)}
"""Colour that a white shirt has there."""
_BANDS = 20
"""Steps of the sky's gradient."""


def draw_backdrop(place: str, rng: np.random.Generator) -> Image.Image:
    """Return the canvas of one face: a sunny garden, or a studio with a striped curtain."""
    image = Image.new("RGB", (CANVAS, CANVAS))
    pen = ImageDraw.Draw(image)
    if place == "garden":
        _draw_garden(pen, rng)
    else:
        _draw_studio(pen, rng)
    return image


def lit(image: Image.Image, place: str, rng: np.random.Generator) -> Image.Image:
    """Return the picture under the light of a place, a little different in each picture."""
    light = jittered(_LIGHT[place], rng, by=5)
    return ImageChops.multiply(image, Image.new("RGB", image.size, light))


def _draw_garden(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Draw a sky, a sun, two clouds, two hills and flowers."""
    top, horizon = jittered((110, 190, 240), rng, by=10), (222, 243, 252)
    height = CANVAS // _BANDS
    for band in range(_BANDS):
        box = (0, band * height, CANVAS, (band + 1) * height)
        pen.rectangle(box, fill=mixed(top, horizon, band, _BANDS))
    oval(pen, int(rng.integers(40, 361)), int(rng.integers(30, 61)), 34, 34, (255, 221, 89))
    for side in (0, 1):
        _draw_cloud(pen, 40 + 250 * side + int(rng.integers(0, 71)), int(rng.integers(60, 131)))
    _draw_hills(pen, rng)
    for _ in range(26):
        x, y = int(rng.integers(0, CANVAS)), int(rng.integers(300, CANVAS))
        petal = ((255, 255, 255), (255, 214, 90), (250, 140, 170))[int(rng.integers(0, 3))]
        oval(pen, x, y, 6, 6, petal)
        oval(pen, x, y, 2, 2, (230, 150, 40))


def _draw_cloud(pen: ImageDraw.ImageDraw, x: int, y: int) -> None:
    for dx, dy, radius in ((-28, 6, 18), (0, -4, 26), (30, 6, 20)):
        oval(pen, x + dx, y + dy, radius, radius * 3 // 4, (250, 252, 255))


def _draw_hills(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    far, near = jittered((132, 198, 106), rng, by=10), jittered((92, 170, 84), rng, by=10)
    oval(pen, int(rng.integers(240, 361)), 360, 260, int(rng.integers(120, 151)), far)
    oval(pen, int(rng.integers(40, 141)), 400, 280, int(rng.integers(120, 151)), near)
    pen.rectangle((0, 360, CANVAS, CANVAS), fill=near)


def _draw_studio(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Draw a curtain with folds, a round spot of light and a floor board."""
    dark, bright = jittered((84, 52, 96), rng, by=8), jittered((116, 72, 128), rng, by=8)
    pen.rectangle((0, 0, CANVAS, CANVAS), fill=dark)
    fold = 40
    for x in range(-int(rng.integers(0, fold)), CANVAS, fold):
        for step in range(4):
            box = (x + 3 * step, 0, x + fold // 2 + 2 - 3 * step, CANVAS)
            pen.rectangle(box, fill=mixed(dark, bright, step + 1, 4))
    _draw_lamps(pen, rng)


def _draw_lamps(pen: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Draw a string of lamps along the upper edge."""
    start, sag = int(rng.integers(0, 50)), int(rng.integers(10, 31))
    for lamp in range(9):
        x = start + 50 * lamp - 20
        y = 26 + sag - sag * (x - CANVAS // 2) ** 2 // (CANVAS // 2) ** 2
        halo: Colour = (190, 130, 110)
        oval(pen, x, y, 13, 13, halo)
        oval(pen, x, y, 8, 8, (255, 226, 150))
