"""What could not be computed, collected from every record of a result that has something to say about it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import NamedTuple

from fer_audit.audit.types.claims import Ladder, Rung
from fer_audit.audit.types.result import AuditResult
from fer_audit.text import NONE, display

_WORDS = {
    "Indices": "diversity indices",
    "TargetDistance": "distance to the target",
    "Association": "association with the clusters",
    "Conditional": "what is left",
    "AttributeStability": "held-out half",
    "StabilityFacts": "stability",
    "StyleBaseline": "clusters of style alone",
    "StyleTest": "style",
    "GroupOverlap": "latent overlap of a group",
    "PairOverlap": "latent overlap of a pair",
    "ReplayAttribute": "small studies",
    "Recluster": "clustered again",
}


class Missing(NamedTuple):
    """Values of one record that could not be computed, for one reason."""

    where: str
    fields: tuple[str, ...]
    reason: str


def missing_values(result: AuditResult) -> tuple[Missing, ...]:
    """Return everything that could not be computed, in the order of the result."""
    return tuple(dict.fromkeys(_walk(result, "")))  # all groups of an attribute say the same


def _walk(value: object, subject: str) -> Iterator[Missing]:
    if type(value) is tuple:
        for part in value:
            yield from _walk(part, subject)
    elif isinstance(value, Rung):
        if value.holds is None and not value.skipped:
            where = f"{subject}, " * bool(subject) + f"question {value.number}"
            yield Missing(where, (value.name,), value.reading.removeprefix(f"{NONE}: "))
    elif isinstance(value, Ladder):
        # Rungs 4 to 6 have no answer when their conditional tests have none, which give the reason.
        silent = {test.rung for test in value.conditionals if test.not_computable}
        answered = tuple(rung for rung in value.rungs if rung.number not in silent)
        yield from _walk((*answered, *value.conditionals), display(value.attribute))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        subject = display(getattr(value, "attribute", None) or subject)
        by_reason: dict[str, list[str]] = {}
        for name, reason in getattr(value, "not_computable", ()):
            by_reason.setdefault(reason, []).append(display(name))
        kind = type(value).__name__
        words = _WORDS.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
        for reason, names in by_reason.items():
            yield Missing(f"{subject}, " * bool(subject) + words, tuple(names), reason)
        for field in dataclasses.fields(value):
            if field.name != "not_computable":
                yield from _walk(getattr(value, field.name), subject)
