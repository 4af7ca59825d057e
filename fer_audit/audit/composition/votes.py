"""How strongly several annotators agree, where a set keeps their votes."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.types.composition import VoteAgreement
from fer_audit.dataset.types import SoftLabels
from fer_audit.text import encodable


def vote_agreement(soft: SoftLabels) -> VoteAgreement:
    """Return the median share of the winning answer, and how many images have none with more than half of the votes."""
    votes = soft.votes.astype(np.float64)
    votes = votes[votes.sum(axis=1) > 0]
    answers = tuple(encodable(answer) for answer in soft.answers)
    if not len(votes):
        missing = (("winning_share", "nobody was asked about any image"),)
        return VoteAgreement(soft.attribute, answers, 0, None, 0, missing)
    winning = votes.max(axis=1) / votes.sum(axis=1)
    without = int((winning <= 0.5).sum())
    return VoteAgreement(soft.attribute, answers, len(votes), float(np.median(winning)), without)


ANALYSIS = Analysis(
    name="votes",
    record=tuple[VoteAgreement, ...],
    run=lambda inputs: tuple(map(vote_agreement, inputs.dataset.soft)),
)
