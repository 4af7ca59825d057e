"""One model's predictions by the groups of one attribute: what it predicts, what it gets right, and how far apart groups are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fer_audit.audit.models.groups import cells_of, groups_of
from fer_audit.audit.models.judged import judged_gaps
from fer_audit.audit.models.scored import IMAGE, Scored, or_none, share_intervals, units_in
from fer_audit.audit.stats.confusion import (
    confusions,
    false_positive_rates,
    intraclass_disparity,
    recalls,
    widest,
    xu_f,
)
from fer_audit.audit.stats.group_gaps import expected_extremes
from fer_audit.audit.stats.tables import Mask
from fer_audit.audit.stats.units import design_effect, intraclass_correlation
from fer_audit.audit.types.models import ByAttribute, ClassRate, GroupRates
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.dataset.types import Attribute

TWO_GROUPS = f"fewer than two groups have {TOO_FEW} people or images"


def rates_of(column: Attribute, model: Scored) -> ByAttribute:
    """Return how often each class is predicted in each group. A code of -1 is a prediction of no class."""
    group = column.codes[model.rows].astype(np.int64)
    units = units_in(group, model.units, len(column.categories))
    said = model.said[:, None] == np.arange(len(model.classes))
    found, shares = [], np.full((len(column.categories), len(model.classes)), np.nan)
    for number, name in enumerate(column.categories):
        mine = group == number
        hits = said[mine]
        low, high = share_intervals(model, mine, said, np.ones_like(said))
        n, counts = int(mine.sum()), hits.sum(axis=0)
        if units[number] >= TOO_FEW:
            shares[number] = counts / n
        rates = tuple(
            ClassRate(label, int(count), int(count) / n if n else None, or_none(a), or_none(b))
            for label, count, a, b in zip(model.classes, counts, low, high, strict=True)
        )
        few = bool(units[number] < TOO_FEW)
        found.append(GroupRates(name, n, int(units[number]), few, rates))
    gaps = widest(shares)
    at = int(np.nanargmax(gaps)) if np.isfinite(gaps).any() else -1
    why = () if at >= 0 else (("parity_gap", TWO_GROUPS),)
    return ByAttribute(
        attribute=column.name,
        unit=model.unit,
        rates=tuple(found),
        parity_gap=float(gaps[at]) if at >= 0 else None,
        parity_class=model.classes[at] if at >= 0 else "",
        not_computable=why,
    )


def errors_of(column: Attribute, model: Scored) -> ByAttribute:
    """Return the same with what is right; some image has a true label."""
    by = rates_of(column, model)
    groups, classes = len(column.categories), len(model.classes)
    group = np.where(model.label >= 0, column.codes[model.rows], -1).astype(np.int64)
    confusion = confusions(group, model.label, model.said, (groups, classes))
    recall = recalls(confusion)
    cell = np.where(group >= 0, group * classes + model.label, -1)
    units = units_in(cell, model.units, groups * classes).reshape(groups, classes)
    of_group = units_in(group, model.units, groups)
    enough, large = units >= TOO_FEW, of_group >= TOO_FEW
    common: Mask = np.asarray(enough[large].all(axis=0) & (large.sum() >= 2))
    cells = judged_gaps(group, model.label, model, enough.T)
    whole = judged_gaps(group, np.zeros_like(group), model, large[None, :])
    known = group >= 0
    icc = intraclass_correlation(model.right[known], model.units[known])
    sizes = np.unique(model.units[known], return_counts=True)[1]
    effect = design_effect(sizes, max(icc or 0.0, 0.0)) if known.any() else 1.0
    held = np.where(enough, recall, np.nan)
    spread = widest(np.where(large[:, None], false_positive_rates(confusion), np.nan))
    xu = or_none(float(xu_f(recall[large][:, common])))
    id_c = intraclass_disparity(held)
    missing = [("xu_f", "no class has enough images in every group")] if xu is None else []
    for names, gone in (
        (("recall_gap", "recall_gap_p", "odds_gap", "disparity"), cells.gap is None),
        (("accuracy_gap", "accuracy_gap_p", "chance_gap"), whole.gap is None),
    ):
        missing += [(name, TWO_GROUPS) for name in names] if gone else []
    if not enough.any():
        missing.append(("worst_recall", f"no class has {TOO_FEW} in a group"))
    chance = None
    if whole.gap is not None:
        shares = np.maximum((confusion.sum(axis=(1, 2))[large] / effect).astype(np.int64), 1)
        low, high = expected_extremes(shares, float(model.right[known].mean()))
        chance = high - low
    return replace(
        by,
        errors=groups_of(column, model, group, confusion, common, whole, effect),
        cells=cells_of(column, model, group, units, confusion, cells),
        classes=tuple(x for x, shared in zip(model.classes, common, strict=True) if shared),
        xu_f=xu,
        disparity=float(np.nanmean(id_c)) if np.isfinite(id_c).any() else None,
        recall_gap=cells.gap,
        recall_gap_p=cells.gap_p,
        odds_gap=None if cells.gap is None else float(np.nanmax(np.append(spread, cells.gap))),
        accuracy_gap=whole.gap,
        accuracy_gap_p=whole.gap_p,
        chance_gap=chance,
        worst_recall=float(np.nanmin(held)) if enough.any() else None,
        icc=icc if model.unit != IMAGE else None,
        design_effect=effect if model.unit != IMAGE else None,
        permutations=max(cells.draws, whole.draws),
        not_computable=(*by.not_computable, *missing),
    )
