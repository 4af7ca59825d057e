"""The tables behind a model's section: each group, each group and class, and who is taken for what."""

from __future__ import annotations

import fer_audit.text as t
from fer_audit.audit.types.models import ByAttribute, GroupErrors, ModelAudit, RecallCell
from fer_audit.report.blocks import Table, plain_table
from fer_audit.report.sections import values as v


def recall_words(cell: RecallCell) -> str:
    """Write a recall with its count and interval."""
    return t.share_text(cell.recall, cell.n, cell.low, cell.high) if cell.n else "no image"


def each_class(by: ByAttribute) -> Table:
    """Return the recall of each class over all images."""
    (all_of_them,) = by.errors
    score = f"Macro-F1 {t.or_dash(all_of_them.macro_f1, v.zero)}"
    if all_of_them.calibration_error is not None:
        over = t.difference(all_of_them.overconfidence or 0.0)
        score += f"; calibration error {v.zero(all_of_them.calibration_error)}, confidence less accuracy {over} points"
    return v.without_empty_columns(
        v.table_of(
            "Each class",
            by.cells,
            v.left("true class", lambda x: t.clipped(x.label, 20)),
            v.right("predicted right", recall_words),
            v.right(
                "by votes", lambda x: "" if x.soft_recall is None else t.percent(x.soft_recall)
            ),
            faint=lambda x: x.too_few,
            note=f"{score}.",
        )
    )


def each_group(by: ByAttribute) -> Table:
    """Return what is right in each group, what its distance to the others is made of, and how sure the model is."""

    def signed(value: float | None, error: float | None = None) -> str:
        around = "" if error is None else f" ± {100 * error:.1f}"
        return "" if value is None else f"{t.difference(value)}{around}"

    def right_words(each: GroupErrors) -> str:
        shown = t.share_text(each.accuracy, each.n, each.low, each.high)
        return shown if each.n else "no image"

    def error(each: GroupErrors) -> str:
        return "" if each.calibration_error is None else v.zero(each.calibration_error)

    def copies(each: GroupErrors) -> str:
        return f"{each.copies_disagree:,} of {each.copies:,}" if each.copies else ""

    def votes(each: GroupErrors) -> str:
        known = each.soft_accuracy is not None
        return f"{t.percent(each.soft_accuracy)} ({t.percent(each.soft_ceiling)})" if known else ""

    return v.without_empty_columns(
        v.table_of(
            f"Each group, by {v.spoken(by.attribute)}",
            by.errors,
            v.left("group", lambda x: t.clipped(x.group, 28), wrap=9),
            v.right("right", right_words, wrap=12),
            v.right("macro-F1", lambda x: t.or_dash(x.macro_f1_common, v.zero), wrap=8),
            v.right("points from others", lambda x: signed(x.gap), wrap=7),
            v.right("by class mix", lambda x: signed(x.composition, x.composition_se), wrap=6),
            v.right("within classes", lambda x: signed(x.within, x.within_se), wrap=7),
            v.right("within clusters", lambda x: signed(x.across_clusters), wrap=8, drop=2),
            v.right("calibration error", error, wrap=11, drop=3),
            v.right("over- confident", lambda x: signed(x.overconfidence), wrap=9, drop=4),
            v.right("votes (most)", votes, wrap=8, drop=5),
            v.right("copies that disagree", copies, wrap=8, drop=6),
            importance="normal" if by.demographic else "detail",
            faint=lambda x: x.too_few,
            note=(
                "Macro-F1 over the classes that all groups have. By class mix: points that other shares of the true classes make"
                " (Kitagawa), ± standard error."
            ),
        )
    )


def each_cell(by: ByAttribute) -> Table:
    """Return the recall of each group and class."""

    def p(value: float | None, x: RecallCell) -> str:
        return v.p_or_dash(value, x.p, by.permutations)

    return v.table_of(
        f"Recall of each group and class, by {v.spoken(by.attribute)}",
        by.cells,
        v.left("group", lambda x: t.clipped(x.group, 28), wrap=9),
        v.left("class", lambda x: t.clipped(x.label, 16), wrap=8),
        v.right("recall", recall_words, wrap=12),
        v.right("drawn to the others", lambda x: t.or_dash(x.pooled, t.percent), wrap=9),
        v.right("by votes", lambda x: t.or_dash(x.soft_recall, t.percent)),
        v.right("p (adjusted)", lambda x: f"{p(x.p, x)} ({p(x.p_adjusted, x)})", wrap=9),
        importance="detail",
        faint=lambda x: x.too_few,
    )


def confusion_of(model: ModelAudit, each: GroupErrors, by: ByAttribute) -> Table:
    """Return the true and the predicted classes of one group."""
    rows = zip(model.classes, each.confusion, strict=True)
    return plain_table(
        f"{t.clipped(each.group, 28)} ({v.spoken(by.attribute)}): true classes down, predicted across",
        ("", *(t.clipped(x, 14) for x in model.classes)),
        ((t.clipped(name, 14), *map(t.whole, counts)) for name, counts in rows),
        right=range(1, len(model.classes) + 1),
        importance="detail",
    )
