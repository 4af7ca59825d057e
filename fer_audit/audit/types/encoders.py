"""Records of one dataset audited under several encoders."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import Unit

ENCODERS_SCHEMA = "fer-audit/encoders/1"
FLOOR = "-random"
"""End of the name of a network with random weights: what it finds needs no training."""


@dataclass(frozen=True, slots=True)
class ClaimUnderEncoder:
    """One claim about the clusters of one encoder."""

    model: str
    """Name of the encoder."""
    v_corrected: Unit | None
    """Corrected V; None = not computable."""
    low: Unit | None
    """Lower end of its interval."""
    high: Unit | None
    """Upper end of it."""
    strength: str
    """As in result.json: faint, weak, clear, strong, at chance or not computable."""
    level: str
    """What is held fixed in the comparison that sums the claim up; empty = there is none."""
    grade: str
    """How much is left there: cannot tell, trace, little, part or most; empty = not asked."""
    comes_back: str
    """yes, no or unknown."""
    holds: bool
    """Above chance, more than a trace left, and not known to go with another seed or another half."""


@dataclass(frozen=True, slots=True)
class ClaimUnderEncoders:
    """One claim about clusters, encoder by encoder."""

    attribute: str
    """Name of the attribute."""
    under: tuple[ClaimUnderEncoder, ...]
    """In the order of the encoders."""
    holds_under: int
    """How many of `encoders` it holds under."""
    encoders: int
    """Encoders that were run but for those with random weights."""
    floor: Unit | None
    """Largest corrected V under random weights; None = no such network was run."""
    above_floor: bool | None
    """Whether every one of them separates it more strongly than random weights do, intervals apart."""


@dataclass(frozen=True, slots=True)
class EncoderComparison:
    """Which claims hold under every encoder."""

    schema: str
    """Name and version of this format."""
    dataset: str
    """Name of the set."""
    models: tuple[str, ...]
    """The encoders, in the order they were asked for."""
    runs: tuple[str, ...]
    """The folder of each run, within the one of all."""
    claims: tuple[ClaimUnderEncoders, ...]
    """One for each attribute."""
    complete: bool
    """Whether every run is complete."""
