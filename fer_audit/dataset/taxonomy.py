"""What the codes of well-known sets mean, and explicit maps between sets' group names; nothing is mapped silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fer_audit.errors import ConfigError


def _numbered(*names: str, first: int = 0) -> dict[str, str]:
    return {str(code): name for code, name in enumerate(names, start=first)}


CODES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("race", "utkface"): _numbered("White", "Black", "Asian", "Indian", "Others"),
    ("gender", "utkface"): _numbered("male", "female"),
    ("race", "hf-fairface"): _numbered(
        *("East Asian", "Indian", "Black", "White", "Middle Eastern", "Latino_Hispanic"),
        "Southeast Asian",
    ),
    ("gender", "hf-fairface"): _numbered("Male", "Female"),
    ("race", "fairface"): _numbered(
        *("White", "Black", "Latino_Hispanic", "East Asian", "Southeast Asian", "Indian"),
        "Middle Eastern",
    ),
    ("gender", "fairface"): _numbered("Male", "Female"),
    ("race", "raf-db"): _numbered("Caucasian", "African-American", "Asian"),
    ("gender", "raf-db"): _numbered("Male", "Female", "unsure"),
    ("expression", "raf-db"): _numbered(
        *("Surprise", "Fear", "Disgust", "Happiness", "Sadness", "Anger", "Neutral"), first=1
    ),
    ("expression", "fer2013"): _numbered(
        "Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"
    ),
    ("expression", "affectnet"): _numbered(
        *("Neutral", "Happiness", "Sadness", "Surprise", "Fear", "Disgust", "Anger"),
        *("Contempt", "None", "Uncertain", "No-Face"),
    ),
    ("expression", "expw"): _numbered(
        "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"
    ),
}
"""(attribute, list) -> {code: name}, as the sets themselves number their groups; `fairface` is the order of predict.py."""


def code_names(attribute: str, names: Sequence[tuple[str, str]]) -> Mapping[str, str] | None:
    """Return what --names says of an attribute: {code: name}, from a known list or from "0:White,1:Black".

    Raises ConfigError for a list that is not known.
    """
    for name, text in names:
        if name != attribute:
            continue
        if ":" in text:
            pairs = (each.partition(":") for each in text.split(","))
            return {code.strip(): group.strip() for code, _, group in pairs}
        if (name, text) in CODES:
            return CODES[name, text]
        known = [each for about, each in CODES if about == name]
        raise ConfigError(
            f'There is no list "{text}" of codes for {name}',
            hint=f"Known: {', '.join(known) or 'none'}; or write --names {name}=0:NAME,1:NAME.",
        )
    return None
