"""Drawn faces of any size, with labels: what a machine without a dataset is measured on."""

from __future__ import annotations

from pathlib import Path

from fer_audit.store.stage import make_folder
from fer_audit.synth.draw import draw_face
from fer_audit.synth.plant import SEED, plant_rows

_QUALITY = 90


def draw_faces(folder: Path, n: int, *, side: int) -> Path:
    """Draw n faces of side x side pixels and their labels.csv into `folder`; the same call gives the same pixels."""
    make_folder(folder / "faces")
    lines = ["file,group,gender,age,expression,session"]
    for number, row in enumerate(plant_rows(n)):
        face = draw_face(
            number, place=row.place, hair=row.hair, expression=row.expression, seed=SEED
        )
        if face.size != (side, side):
            face = face.resize((side, side))
        name = f"faces/{number:06d}.jpg"
        face.save(folder / name, "JPEG", quality=_QUALITY)
        lines.append(f"{name},{row.group},{row.gender},{row.age},{row.expression},{row.session}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
