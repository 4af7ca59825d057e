"""dataset.json: what the owner of a set says about its labels; every report repeats it."""

from __future__ import annotations

import json
from dataclasses import replace

from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.text import whole

CARD = "dataset.json"
MAX_CARD_BYTES = 1_000_000
"""A card is a few sentences."""


def with_owner_card(dataset: FaceDataset) -> FaceDataset:
    """Return the dataset with the sentences of the card in its folder, if there is one.

    The card is {"label_source": "one sentence: who made the labels", "notes": ["known defect", ...]}, both optional.
    Raises ConfigError for a card that is anything else.
    """
    path = dataset.root / CARD
    if path.is_symlink() or not path.is_file():
        return dataset
    if path.stat().st_size > MAX_CARD_BYTES:
        raise ConfigError(
            f"{path} is larger than {whole(MAX_CARD_BYTES)} bytes: that is no dataset card",
            hint="Move it elsewhere, or shorten it.",
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(f"Cannot read {path}: {exc}") from exc
    source, notes = (
        (card.get("label_source", ""), card.get("notes", []))
        if isinstance(card, dict)
        else (None, None)
    )
    if not isinstance(source, str) or not isinstance(notes, list):
        raise ConfigError(
            f"{path} is no dataset card",
            hint='It looks like {"label_source": "Who made the labels.", "notes": ["A known defect."]}.',
        )
    return replace(
        dataset,
        label_source=source or dataset.label_source,
        notes=(*map(str, notes), *dataset.notes),
    )
