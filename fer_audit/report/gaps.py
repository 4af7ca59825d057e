"""What could not be computed, collected from every record of a result that has something to say about it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from fer_audit.audit.types.claims import Ladder, Rung
from fer_audit.audit.types.result import AuditResult
from fer_audit.text import NONE

_WORDS = {
    "Indices": "diversity indices",
    "TargetDistance": "distance to the target",
    "Association": "association with the clusters",
    "Conditional": "what is kept",
    "AttributeStability": "held-out half",
    "StabilityFacts": "stability",
    "StyleBaseline": "clusters of style alone",
    "StyleTest": "style",
    "GroupOverlap": "latent overlap of a group",
    "PairOverlap": "latent overlap of a pair",
    "ReplayAttribute": "small studies",
    "Recluster": "clustered anew",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """Fields of one record that have no value, for one reason."""

    where: str
    fields: tuple[str, ...]
    reason: str


def gaps(result: AuditResult) -> tuple[Gap, ...]:
    """Return everything that could not be computed, in the order of the result."""
    return tuple(dict.fromkeys(_walk(result, "")))  # all groups of an attribute say the same


def _walk(value: object, subject: str) -> Iterator[Gap]:
    if isinstance(value, tuple):
        for part in value:
            yield from _walk(part, subject)
    elif isinstance(value, Rung):
        if value.holds is None and not value.skipped:
            where = f"{subject}, rung {value.number}" if subject else f"rung {value.number}"
            yield Gap(where, (value.name,), value.reading.removeprefix(f"{NONE}: "))
    elif isinstance(value, Ladder):
        # A rung of 4 to 6 has no answer because its questions have none: they say it, once.
        silent = {each.rung for each in value.conditionals if each.not_computable}
        told = tuple(rung for rung in value.rungs if rung.number not in silent)
        yield from _walk((*told, *value.conditionals), value.attribute)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        subject = getattr(value, "attribute", None) or subject
        yield from _own_gaps(value, subject)
        for field in dataclasses.fields(value):
            if field.name != "not_computable":
                yield from _walk(getattr(value, field.name), subject)


def _own_gaps(record: object, subject: str) -> Iterator[Gap]:
    by_reason: dict[str, list[str]] = {}
    for field, reason in getattr(record, "not_computable", ()):
        by_reason.setdefault(reason, []).append(field)
    name = type(record).__name__
    words = _WORDS.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    where = f"{subject}, {words}" if subject else words
    for reason, fields in by_reason.items():
        yield Gap(where, tuple(fields), reason)
