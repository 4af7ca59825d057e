"""Drawn faces under UTKFace's names: small, seeded, and different enough to be clustered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SKINS = ((241, 194, 167), (120, 74, 45), (226, 178, 130), (168, 110, 70), (200, 150, 115))
"""One colour for each of UTKFace's five race codes: what the mean-colour model can see."""


def utkface_name(number: int) -> str:
    """Return a full UTKFace name; race, gender and age go round at different speeds."""
    age, gender, race = 1 + (number * 7) % 80, number // 5 % 2, number % 5
    return f"{age}_{gender}_{race}_2017010{1 + number % 7}1{number % 10}{number:07d}.jpg.chip.jpg"


def draw_face(number: int, *, side: int = 48) -> Image.Image:
    """Return a head on a background; the same number always gives the same picture."""
    rng = np.random.default_rng(number)
    background = tuple(int(x) for x in rng.integers(0, 256, 3))
    skin = tuple(int(x + rng.integers(-8, 9)) for x in np.clip(SKINS[number % 5], 8, 247))
    image = Image.new("RGB", (side, side), background)
    pen = ImageDraw.Draw(image)
    pen.ellipse([side // 6, side // 10, side - side // 6, side - side // 10], fill=skin)
    for x in (side // 3, 2 * side // 3):
        pen.ellipse([x - 2, side // 3, x + 2, side // 3 + 4], fill=(20, 20, 20))
    mouth = (160, 30, 40)
    pen.line([side // 3, 2 * side // 3, 2 * side // 3, 2 * side // 3], fill=mouth, width=2)
    return image


def draw_faces(folder: Path, count: int, *, side: int = 48) -> Path:
    """Write `count` JPEGs under UTKFace's names and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        draw_face(number, side=side).save(folder / utkface_name(number), quality=90)
    return folder
