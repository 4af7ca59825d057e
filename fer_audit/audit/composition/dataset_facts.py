"""What was audited, in counts that add up, and how strongly its annotators agree."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.stats.tables import Mask
from fer_audit.audit.types.composition import DatasetFacts, RejectCount, VoteAgreement
from fer_audit.dataset.types import FaceDataset, SoftLabels
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import PackRows
from fer_audit.text import encodable

EXAMPLES = 3


def dataset_facts(
    dataset: FaceDataset, rows: PackRows, embeddings: Embeddings | None, *, usable: Mask
) -> DatasetFacts:
    """Return the counts of a dataset; `usable` is the mask of images that are ok."""
    failed = np.flatnonzero(~usable).tolist()
    flagged = np.flatnonzero(usable & (rows.flags != "")).tolist()
    same = ("name", "notes", "label_source", "fingerprint", "terms", "facts", "skipped")
    failures = ((why_failed(row, rows, embeddings), dataset.ids[row]) for row in failed)
    return DatasetFacts(
        listed=len(dataset),
        ok=int(usable.sum()),
        failed=len(failed),
        fully_labelled=fully_labelled(dataset),
        failures=count_reasons(failures),
        flags=count_reasons((str(rows.flags[row]), dataset.ids[row]) for row in flagged),
        rejects=count_reasons((each.reason, each.item) for each in dataset.rejects),
        **{name: getattr(dataset, name) for name in same},
    )


def fully_labelled(dataset: FaceDataset) -> int:
    """Return how many rows carry every demographic attribute, and the age; 0 if the set has none."""
    own = [x for x in dataset.attributes if x.kind == "demographic" and not x.mapped_from]
    columns = [each.codes for each in own]
    if dataset.ages is not None:
        columns.append(dataset.ages)
    return int(np.all([x >= 0 for x in columns], axis=0).sum()) if columns else 0


def count_reasons(found: Iterable[tuple[str, str]]) -> tuple[RejectCount, ...]:
    """Return (reason, item) pairs counted by reason, the most frequent first."""
    items: dict[str, list[str]] = {}
    for reason, item in found:
        items.setdefault(reason, []).append(item)
    ranked = sorted(items.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(
        RejectCount(reason, len(names), tuple(map(encodable, names[:EXAMPLES])))
        for reason, names in ranked
    )


def why_failed(row: int, rows: PackRows, embeddings: Embeddings | None) -> str:
    """Return the first reason a row has; one that no stage gave means it was left out of the clusters."""
    if not rows.ok[row]:
        return str(rows.reasons[row]) or "unreadable"
    if embeddings is not None and not embeddings.ok[row]:
        return str(embeddings.reasons[row]) or "not_embedded"
    return "not_clustered"


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


VOTES = Analysis(
    name="votes",
    record=tuple[VoteAgreement, ...],
    run=lambda inputs: tuple(map(vote_agreement, inputs.dataset.soft)),
)
