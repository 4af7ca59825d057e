"""What a model gets right in each group, and in each group and class."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.models.judged import Judged
from fer_audit.audit.models.scored import Ints, Scored, or_none, share_intervals, units_in
from fer_audit.audit.stats.confusion import accuracies, macro_f1, recalls
from fer_audit.audit.stats.decomposition import Split, kitagawa, mantel_haenszel, partial_pooling
from fer_audit.audit.stats.group_gaps import right_tables
from fer_audit.audit.stats.label_noise import calibration, soft_scores
from fer_audit.audit.stats.tables import Counts, Mask
from fer_audit.audit.types.models import GroupErrors, RecallCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.dataset.types import Attribute


def cells_of(
    column: Attribute,
    model: Scored,
    group: Ints,
    units: Counts,
    confusion: Counts,
    judged: Judged,
) -> tuple[RecallCell, ...]:
    """Return the recall of every group and class; all arrays but the images' are (groups, classes)."""
    n, recall = confusion.sum(axis=2), recalls(confusion)
    right = np.diagonal(confusion, axis1=1, axis2=2)
    pooled = np.full(n.shape, np.nan)
    for label in np.flatnonzero(n.any(axis=0)).tolist():
        has = n[:, label] > 0
        drawn = partial_pooling(
            right[has, label], n[has, label], confidence=model.settings.confidence
        )
        pooled[has, label] = drawn.mean
    found = []
    truly = model.label[:, None] == np.arange(len(model.classes))
    hit = truly & (model.right == 1)[:, None]
    for at, name in enumerate(column.categories):
        mine = group == at
        low, high = share_intervals(model, mine, hit, truly)
        soft = np.full(len(model.classes), np.nan)
        if model.votes is not None and (asked := mine & model.votes.any(axis=1)).any():
            soft = soft_scores(model.votes[asked], model.said[asked]).recall
        for label, words in enumerate(model.classes):
            found.append(
                RecallCell(
                    group=name,
                    label=words,
                    n=int(n[at, label]),
                    units=int(units[at, label]),
                    right=int(right[at, label]),
                    recall=or_none(recall[at, label]),
                    low=or_none(low[label]),
                    high=or_none(high[label]),
                    pooled=or_none(pooled[at, label]),
                    soft_recall=or_none(soft[label]),
                    p=or_none(judged.p[label, at]),
                    p_adjusted=or_none(judged.adjusted[label, at]),
                    too_few=bool(units[at, label] < TOO_FEW),
                )
            )
    return tuple(found)


def groups_of(
    column: Attribute,
    model: Scored,
    group: Ints,
    confusion: Counts,
    common: Mask,
    judged: Judged,
    effect: float,
) -> tuple[GroupErrors, ...]:
    """Return what is right in every group; standard errors grow with the design effect."""
    accuracy, f1, f1_common = (
        accuracies(confusion),
        macro_f1(confusion),
        macro_f1(confusion, common),
    )
    units = units_in(group, model.units, len(column.categories))
    copied, hit = column.codes[model.copies], (model.right == 1)[:, None]
    found = []
    for at, name in enumerate(column.categories):
        mine, few = group == at, bool(units[at] < TOO_FEW)
        right = model.right[mine] == 1
        low, high = share_intervals(model, mine, hit, np.ones_like(hit))
        split, across, missing = None, None, []
        rest = confusion.sum(axis=0) - confusion[at]
        if few:
            missing.append(("gap", f"fewer than {TOO_FEW} people or images"))
        elif not rest.any():
            missing.append(("gap", "there is no other group"))
        else:
            split = _split(confusion[at], rest)
            if split is None:
                missing.append(("composition", "a class is missing in one of the two"))
            across = _across_clusters(model, group, at)
        knows = None
        if model.confidence is not None and len(right) and not few:
            knows = calibration(model.confidence[mine], right, model.edges)
        soft = None
        if model.votes is not None and (asked := mine & model.votes.any(axis=1)).any():
            soft = soft_scores(model.votes[asked], model.said[asked])
        gap = None
        if not few and rest.any():
            gap = float(accuracy[at] - np.trace(rest) / rest.sum())
        found.append(
            GroupErrors(
                group=name,
                n=int(mine.sum()),
                units=int(units[at]),
                accuracy=or_none(accuracy[at]),
                low=or_none(low[0]),
                high=or_none(high[0]),
                macro_f1=or_none(f1[at]),
                macro_f1_common=or_none(f1_common[at]),
                p=or_none(judged.p[0, at]),
                p_adjusted=or_none(judged.adjusted[0, at]),
                gap=gap,
                composition=None if split is None else split.composition,
                composition_se=None if split is None else split.composition_se * effect**0.5,
                within=None if split is None else split.within,
                within_se=None if split is None else split.within_se * effect**0.5,
                across_clusters=across and across[0],
                across_clusters_p=across and across[1],
                calibration_error=None if knows is None else knows.error,
                overconfidence=None if knows is None else knows.signed,
                soft_accuracy=None if soft is None else soft.accuracy,
                soft_ceiling=None if soft is None else soft.ceiling,
                copies=int((copied == at).sum()),
                copies_disagree=int(model.differ[copied == at].sum()),
                confusion=tuple(map(tuple, confusion[at].tolist())),
                too_few=few,
                not_computable=tuple(missing),
            )
        )
    return tuple(found)


def _split(mine: Counts, rest: Counts) -> Split | None:
    """Return the parts of the gap to all others, over the classes that any of them has."""
    there = (mine.sum(axis=1) + rest.sum(axis=1)) > 0
    n, others = mine.sum(axis=1)[there], rest.sum(axis=1)[there]
    return kitagawa(n, np.diagonal(mine)[there], others, np.diagonal(rest)[there])


def _across_clusters(model: Scored, group: Ints, at: int) -> tuple[float, float] | None:
    if model.clusters is None:
        return None
    k = int(model.clusters.max(initial=0)) + 1
    other = np.where(group < 0, -1, (group != at).astype(np.int64))
    tables = right_tables(
        other, model.right, model.clusters, (k, 2)
    )  # wrong, right x mine, others
    found = mantel_haenszel(np.swapaxes(tables[:, ::-1], 1, 2))
    return None if found is None else (found.risk_difference, found.p)
