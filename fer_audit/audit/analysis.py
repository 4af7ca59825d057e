"""What an analysis is: one value that says what is computed, from what, and what it says in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Protocol, TypeAlias

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry
from fer_audit.store.fingerprint import source_digest, stage_fingerprint

SubjectResult: TypeAlias = Any
"""What `Analysis.run` returns: a record, a tuple of records or None."""
_SOURCE = ("audit", "cluster", "dataset/maps.py", "rng.py", "text.py")
"""Code that a kept result depends on."""
Parts: TypeAlias = Mapping[str, Any]
"""What earlier analyses found, by name."""


class AnalysisCache(Protocol):
    """Where the results of analyses are kept between runs."""

    def find(self, analysis: str, fingerprint: str, kind: Any) -> SubjectResult:  # noqa: ANN401 - any type of a record
        """Return a result; KeyError when it is not there."""
        raise KeyError(fingerprint)

    def keep(self, analysis: str, results: Mapping[str, SubjectResult], kind: Any) -> None:  # noqa: ANN401 - any type of a record
        """Keep results of an analysis, by their fingerprints."""
        return


class NoCache(AnalysisCache):
    """Keeps nothing."""


def as_they_are(inputs: AuditInputs, results: Sequence[SubjectResult], parts: Parts) -> Any:  # noqa: ANN401 - a `join`
    """Return the results of the subjects as one tuple."""
    return tuple(results)


def nothing(found: Any) -> tuple[()]:  # noqa: ANN401 - any result or part
    """Say nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One analysis. Its part of the result is what `run` returns, or what `join` makes of the results of its subjects.

    A result is computed again only when something that it reads has changed.
    """

    name: str
    """Key of its part in result.json."""
    record: Any
    """Type of what `run` returns: X, X | None or tuple[X, ...]."""
    run: Callable[..., SubjectResult]
    """(inputs, *subject) -> the record."""
    subjects: Callable[[AuditInputs], Iterable[tuple[Any, ...]]] | None = None
    """What it is run for one by one, e.g. label columns, which it then reads; None = it is run once."""
    join: Callable[[AuditInputs, Sequence[SubjectResult], Parts], Any] = as_they_are
    """(inputs, results of the subjects, earlier parts) -> the part; cheap, for it is done in every run. Only with `subjects`."""
    needs: tuple[str, ...] | None = None
    """What `run` reads beyond its subject, e.g. "rows.style" of the inputs; None = too cheap to be kept."""
    settings: tuple[str, ...] = ()
    """What `run` reads of the configuration, by flat names; the seed is always among them."""
    findings: Callable[[AuditResult], Iterable[Finding]] = nothing
    ledger: Callable[[Any], Iterable[LedgerEntry]] = nothing
    """Entries of a part: every p value in it is in one of them."""

    @property
    def part(self) -> Any:  # noqa: ANN401 - a type
        """Type of its part, where `AuditResult` does not say it."""
        return self.record if self.subjects is None else GenericAlias(tuple, (self.record, ...))

    def audit(self, inputs: AuditInputs, parts: Parts, store: AnalysisCache) -> Any:  # noqa: ANN401 - the part
        """Return the part: results from the store where it has them, the others computed and kept."""
        subjects = [()] if self.subjects is None else self.subjects(inputs)
        results: list[SubjectResult] = []
        new: dict[str, SubjectResult] = {}
        for subject in subjects:
            if self.needs is None:
                results.append(self.run(inputs, *subject))
                continue
            fingerprint = self._fingerprint(inputs, subject)
            try:
                results.append(store.find(self.name, fingerprint, self.record))
            except KeyError:
                results.append(self.run(inputs, *subject))
                # why there is none is said by who finds that out, in every run
                new |= {} if results[-1] is None else {fingerprint: results[-1]}
        if new:
            store.keep(self.name, new, self.record)
        return results[0] if self.subjects is None else self.join(inputs, results, parts)

    def _fingerprint(self, inputs: AuditInputs, subject: tuple[Any, ...]) -> str:
        settings = inputs.config.flat()
        return stage_fingerprint(
            "audit",
            {
                "analysis": self.name,
                "source": source_digest(*_SOURCE),
                "subject": [inputs.digest_of(each) for each in subject],
                "needs": {name: inputs.digest(name) for name in self.needs or ()},
                "settings": {name: settings[name] for name in ("seed", *self.settings)},
                "versions": dict(inputs.versions),
            },
        )
