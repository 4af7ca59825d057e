"""What could not be computed, collected from every record of a result that has something to say about it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

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


@dataclasses.dataclass(frozen=True, slots=True)
class Missing:
    """Values of one record that could not be computed, for one reason."""

    where: str
    fields: tuple[str, ...]
    reason: str


def missing_values(result: AuditResult) -> tuple[Missing, ...]:
    """Return everything that could not be computed, in the order of the result."""
    return tuple(dict.fromkeys(_walk(result, "")))  # all groups of an attribute say the same


def _walk(value: object, subject: str) -> Iterator[Missing]:
    if isinstance(value, tuple):
        for part in value:
            yield from _walk(part, subject)
    elif isinstance(value, Rung):
        if value.holds is None and not value.skipped:
            where = (
                f"{subject}, question {value.number}" if subject else f"question {value.number}"
            )
            yield Missing(where, (value.name,), value.reading.removeprefix(f"{NONE}: "))
    elif isinstance(value, Ladder):
        # Rungs 4 to 6 have no answer when their conditional tests have none, which give the reason.
        silent = {test.rung for test in value.conditionals if test.not_computable}
        answered = tuple(rung for rung in value.rungs if rung.number not in silent)
        yield from _walk((*answered, *value.conditionals), display(value.attribute))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        subject = display(getattr(value, "attribute", None) or subject)
        yield from _own(value, subject)
        for field in dataclasses.fields(value):
            if field.name != "not_computable":
                yield from _walk(getattr(value, field.name), subject)


def _own(record: object, subject: str) -> Iterator[Missing]:
    by_reason: dict[str, list[str]] = {}
    for field, reason in getattr(record, "not_computable", ()):
        by_reason.setdefault(reason, []).append(field)
    name = type(record).__name__
    words = _WORDS.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    where = f"{subject}, {words}" if subject else words
    for reason, fields in by_reason.items():
        yield Missing(where, tuple(map(display, fields)), reason)
