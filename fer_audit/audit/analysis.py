"""What an analysis is: one value that says what is computed, from what, and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Protocol, TypeAlias

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry
from fer_audit.store.fingerprint import stage_fingerprint

Piece: TypeAlias = Any
"""What `Analysis.run` returns: a record, a tuple of records or None."""
Parts: TypeAlias = Mapping[str, Any]
"""What earlier analyses found, by name."""


class PartStore(Protocol):
    """Where the pieces of analyses are kept between runs."""

    def find(self, analysis: str, fingerprint: str, kind: Any) -> Piece:  # noqa: ANN401 - any type of a record
        """Return a piece; KeyError when it is not there."""

    def keep(self, analysis: str, pieces: Mapping[str, Piece], kind: Any) -> None:  # noqa: ANN401 - as above
        """Keep the pieces of an analysis, by their fingerprints."""


class NoStore:
    """Keeps nothing."""

    def find(self, analysis: str, fingerprint: str, kind: Any) -> Piece:  # noqa: ANN401 - see PartStore
        """Return nothing."""
        raise KeyError(fingerprint)

    def keep(self, analysis: str, pieces: Mapping[str, Piece], kind: Any) -> None:  # noqa: ANN401 - see PartStore
        """Keep nothing."""


def as_they_are(inputs: AuditInputs, pieces: Sequence[Piece], parts: Parts) -> Any:  # noqa: ANN401 - a `join`
    """Return the pieces as one tuple."""
    return tuple(pieces)


def nothing(found: Any) -> tuple[()]:  # noqa: ANN401 - any result or part
    """Say nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysis. Its part of the result is what `run` returns, or what `join` makes of the pieces.

    A piece is computed again only when something that it reads has changed.
    """

    name: str
    """Key of its part in result.json."""
    record: Any
    """Type of what `run` returns: X, X | None or tuple[X, ...]."""
    run: Callable[..., Piece]
    """(inputs, *subject) -> the record."""
    pieces: Callable[[AuditInputs], Iterable[tuple[Any, ...]]] | None = None
    """The subject of each piece: label columns and the like, which it reads; None = the analysis is one piece."""
    join: Callable[[AuditInputs, Sequence[Piece], Parts], Any] = as_they_are
    """(inputs, pieces, earlier parts) -> the part; cheap, for it is done in every run. Only with `pieces`."""
    needs: tuple[str, ...] | None = None
    """What `run` reads beyond its subject, e.g. "rows.style" of the inputs; None = too cheap to be kept."""
    settings: tuple[str, ...] = ()
    """What `run` reads of the configuration, by flat names; the seed is always among them."""
    version: int = 1
    """Raised by hand when `run` returns something else for the same inputs."""
    findings: Callable[[AuditResult], Iterable[Finding]] = nothing
    ledger: Callable[[Any], Iterable[LedgerEntry]] = nothing
    """Entries of a part: every p value in it is in one of them."""

    @property
    def part(self) -> Any:  # noqa: ANN401 - a type
        """Type of its part, where `AuditResult` does not say it."""
        return self.record if self.pieces is None else GenericAlias(tuple, (self.record, ...))

    def audit(self, inputs: AuditInputs, parts: Parts, store: PartStore) -> Any:  # noqa: ANN401 - the part
        """Return the part: pieces from the store where it has them, the others computed and kept."""
        subjects = [()] if self.pieces is None else self.pieces(inputs)
        pieces: list[Piece] = []
        new: dict[str, Piece] = {}
        for subject in subjects:
            if self.needs is None:
                pieces.append(self.run(inputs, *subject))
                continue
            fingerprint = self._fingerprint(inputs, subject)
            try:
                pieces.append(store.find(self.name, fingerprint, self.record))
            except KeyError:
                pieces.append(self.run(inputs, *subject))
                new[fingerprint] = pieces[-1]
        if new:
            store.keep(self.name, new, self.record)
        return pieces[0] if self.pieces is None else self.join(inputs, pieces, parts)

    def _fingerprint(self, inputs: AuditInputs, subject: tuple[Any, ...]) -> str:
        settings = inputs.config.flat()
        return stage_fingerprint(
            "audit",
            {
                "analysis": self.name,
                "version": self.version,
                "subject": [inputs.digest_of(each) for each in subject],
                "needs": {name: inputs.digest(name) for name in self.needs or ()},
                "settings": {name: settings[name] for name in ("seed", *self.settings)},
                "versions": dict(inputs.versions),
            },
        )
