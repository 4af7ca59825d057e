"""What the names of folders say: parts of a benchmark, containers, expressions."""

from __future__ import annotations

import re

_EXPRESSIONS = frozenset(
    (  # noqa: SIM905 - words read better as words
        "anger angry contempt contemptuous disgust disgusted fear fearful happiness happy joy calm "
        "neutral neutrality sad sadness surprise surprised an di fe ha ne sa su"
    ).split()
)
_SPLITS = frozenset(
    (  # noqa: SIM905 - as above
        "train training trainset val valid validation valset dev test testing testset "
        "publictest privatetest"
    ).split()
)
_CONTAINERS = frozenset(
    (  # noqa: SIM905 - as above
        "image images img imgs photo photos picture pictures pic pics jpg jpeg png face faces "
        "align aligned original originals orig raw crop crops cropped data dataset set public private"
    ).split()
)
"""Words for the place where images lie; a folder named with nothing else says nothing about its images."""

_NUMBERING = re.compile("^[0-9]+[ ._-]*|[ ._-]*[0-9]+$")
_WORD = re.compile(r"[^\W\d_]+")


def is_split(folder: str) -> bool:
    """Whether a folder is called like a part of a benchmark: train, val_set, Test images, ..."""
    return is_container(folder) and any(word in _SPLITS for word in _words(folder))


def is_container(folder: str) -> bool:
    """Whether a folder is called like a place where images lie, or a part of a benchmark, and can be no class."""
    words = _words(folder)
    return bool(words) and all(word in _CONTAINERS or word in _SPLITS for word in words)


def is_expression(folder: str) -> bool:
    """Whether a folder is called like a facial expression; numbering such as "0_angry" does not matter."""
    return _NUMBERING.sub("", folder.lower()) in _EXPRESSIONS


def _words(folder: str) -> list[str]:
    return _WORD.findall(folder.lower())
