"""The upper half of the ladder for every demographic attribute of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.conditional_tests import ask, correct
from fer_audit.audit.claims.confounders import (
    MEASURE_PARTS,
    STYLE_JOINT,
    STYLE_PARTS,
    questions_for,
    style_bins,
)
from fer_audit.audit.claims.ladder import beyond, climb
from fer_audit.audit.claims.stability import replicated, stable
from fer_audit.audit.types.claims import Association, Conditional, Ladder, StabilityFacts
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.rng import stage_rng

ATTRIBUTES = "there is no other demographic attribute"
STYLE = "no style measure varies"
BATCH = "no batch attribute"


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What can be held fixed: batch columns, and style measures in bins."""

    batches: tuple[Attribute, ...]
    style: tuple[Attribute, ...]
    joint_style: tuple[Attribute, ...]


def what_can_be_given(
    rows: PackRows, batches: Sequence[Attribute], tested: NDArray[np.bool_]
) -> Given:
    """Return the columns of a set that claims can be asked to survive."""
    return Given(
        batches=tuple(each for each in batches if each.counts().astype(bool).sum() > 1),
        style=tuple(style_bins(rows, tested, STYLE_NAMES, parts=MEASURE_PARTS)),
        joint_style=tuple(style_bins(rows, tested, STYLE_JOINT, parts=STYLE_PARTS)),
    )


def ask_everything(
    dataset: FaceDataset,
    clustering: Clustering,
    given: Given,
    *,
    tested: NDArray[np.bool_],
    config: AuditConfig,
) -> dict[str, tuple[Conditional, ...]]:
    """Return the answers of each demographic attribute to every question of rungs 4 to 6."""
    clusters = np.where(tested, clustering.labels, -1)
    asked: dict[str, list[tuple[str, Conditional]]] = {}
    for attribute in dataset.attributes:
        if attribute.kind != "demographic":
            continue
        questions = questions_for(
            attribute, dataset, given.batches, given.style, given.joint_style, config
        )
        asked[attribute.name] = [
            (
                f"{question.rung} {question.family}",
                ask(
                    question,
                    attribute,
                    clusters,
                    k=clustering.k,
                    permutations=config.statistics.permutations,
                    confidence=config.statistics.confidence,
                    rng=stage_rng(config.seed, "audit", "given", attribute.name, question.family),
                ),
            )
            for question in questions
        ]
    return correct(asked, alpha=config.statistics.alpha)


def full_ladder(
    association: Association,
    conditionals: Sequence[Conditional],
    facts: StabilityFacts | None,
    *,
    alpha: float,
) -> Ladder:
    """Return the eight rungs of one demographic attribute."""
    further = (
        beyond(4, "not the other attributes", conditionals, nothing_to_ask=ATTRIBUTES),
        beyond(5, "not image style", conditionals, nothing_to_ask=STYLE),
        beyond(6, "not the crawl", conditionals, nothing_to_ask=BATCH),
        stable(facts, association.attribute, len(association.table), n=association.n),
        replicated(facts, association.attribute, alpha),
    )
    return climb(association, alpha=alpha, further=further, conditionals=conditionals)
