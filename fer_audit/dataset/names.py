"""What the names of folders and files say: parts of a benchmark, expressions."""

from __future__ import annotations

import re

_EXPRESSIONS = (  # noqa: SIM905 - words read better as words
    "anger angry contempt contemptuous disgust disgusted fear fearful happiness happy joy calm "
    "neutral neutrality sad sadness surprise surprised an di fe ha ne sa su"
).split()
_SPLITS = (  # noqa: SIM905 - words read better as words
    "train training trainset val valid validation dev test testing testset publictest privatetest"
).split()

_NUMBERING = re.compile("^[0-9]+[ ._-]*|[ ._-]*[0-9]+$")


def is_split(folder: str) -> bool:
    """Whether a folder is called like a part of a benchmark: train, val, test, ..."""
    return re.sub("[^a-z]", "", folder.lower()) in _SPLITS


def is_expression(folder: str) -> bool:
    """Whether a folder is called like a facial expression; numbering such as "0_angry" does not matter."""
    return _NUMBERING.sub("", folder.lower()) in _EXPRESSIONS
