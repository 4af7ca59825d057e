"""--reference: the counts of a larger set, from a JSON file."""

from __future__ import annotations

import json
from pathlib import Path

from fer_audit.errors import ConfigError
from fer_audit.text import whole

Reference = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""(attribute, ((group, count), ...))"""

MAX_COUNT = 10**12
"""Images in one group: a hundred for every person on earth."""


def read_reference(path: Path) -> Reference:
    """Read {"attribute": {"group": count}}; ConfigError says what is wrong with it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            (attribute, tuple((group, _count(count)) for group, count in groups.items()))
            for attribute, groups in document.items()
        )
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as exc:
        raise ConfigError(
            f"Cannot read the reference {path}: {exc}",
            hint='It looks like {"race": {"White": 10078, "Black": 4526}}.',
        ) from exc


def _count(value: object) -> int:
    """Return a whole number of images; a text or a fraction is not read as one."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    if value < 0:
        raise ValueError(f"{value} is a negative count")
    if value > MAX_COUNT:
        raise ValueError(f"a count is more than {whole(MAX_COUNT)}")
    return value
