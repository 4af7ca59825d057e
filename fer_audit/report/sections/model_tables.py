"""The tables behind a model's section: each group, each group and class, and who is taken for what."""

from __future__ import annotations

from fer_audit.audit.types.models import ByAttribute, GroupErrors, ModelAudit, RecallCell
from fer_audit.report.blocks import Table, plain_table
from fer_audit.report.sections.values import (
    left,
    p_or_dash,
    right,
    spoken,
    table_of,
    without_empty_columns,
    zero,
)
from fer_audit.text import (
    clipped,
    difference,
    or_dash,
    percent,
    share_text,
    whole,
)


def recall_words(cell: RecallCell) -> str:
    """Write a recall with its count and interval."""
    return share_text(cell.recall, cell.n, cell.low, cell.high) if cell.n else "no image"


def each_class(by: ByAttribute) -> Table:
    """Return the recall of each class over all images."""
    (whole,) = by.errors
    score = f"Macro-F1 {or_dash(whole.macro_f1, zero)}"
    if whole.calibration_error is not None:
        over = difference(whole.overconfidence or 0.0)
        score += f"; calibration error {zero(whole.calibration_error)}, confidence less accuracy {over} points"
    return without_empty_columns(
        table_of(
            "Each class",
            by.cells,
            left("true class", lambda x: clipped(x.label, 20)),
            right("predicted right", recall_words),
            right("by votes", lambda x: "" if x.soft_recall is None else percent(x.soft_recall)),
            faint=lambda x: x.too_few,
            note=f"{score}.",
        )
    )


def each_group(by: ByAttribute) -> Table:
    """Return what is right in each group, what its distance to the others is made of, and how sure the model is."""

    def signed(value: float | None, error: float | None = None) -> str:
        around = "" if error is None else f" ± {100 * error:.1f}"
        return "" if value is None else f"{difference(value)}{around}"

    def right_words(each: GroupErrors) -> str:
        shown = share_text(each.accuracy, each.n, each.low, each.high)
        return shown if each.n else "no image"

    def error(each: GroupErrors) -> str:
        return "" if each.calibration_error is None else zero(each.calibration_error)

    def copies(each: GroupErrors) -> str:
        return f"{each.copies_disagree:,} of {each.copies:,}" if each.copies else ""

    def votes(each: GroupErrors) -> str:
        known = each.soft_accuracy is not None
        return f"{percent(each.soft_accuracy)} ({percent(each.soft_ceiling)})" if known else ""

    return without_empty_columns(
        table_of(
            f"Each group, by {spoken(by.attribute)}",
            by.errors,
            left("group", lambda x: clipped(x.group, 28), wrap=9),
            right("right", right_words, wrap=12),
            right("macro-F1", lambda x: or_dash(x.macro_f1_common, zero), wrap=8),
            right("points from others", lambda x: signed(x.gap), wrap=7),
            right("by class mix", lambda x: signed(x.composition, x.composition_se), wrap=6),
            right("within classes", lambda x: signed(x.within, x.within_se), wrap=7),
            right("within clusters", lambda x: signed(x.across_clusters), wrap=8, drop=2),
            right("calibration error", error, wrap=11, drop=3),
            right("over- confident", lambda x: signed(x.overconfidence), wrap=9, drop=4),
            right("votes (most)", votes, wrap=8, drop=5),
            right("copies that disagree", copies, wrap=8, drop=6),
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
        return p_or_dash(value, x.p, by.permutations)

    return table_of(
        f"Recall of each group and class, by {spoken(by.attribute)}",
        by.cells,
        left("group", lambda x: clipped(x.group, 28), wrap=9),
        left("class", lambda x: clipped(x.label, 16), wrap=8),
        right("recall", recall_words, wrap=12),
        right("drawn to the others", lambda x: or_dash(x.pooled, percent), wrap=9),
        right("by votes", lambda x: or_dash(x.soft_recall, percent)),
        right("p (adjusted)", lambda x: f"{p(x.p, x)} ({p(x.p_adjusted, x)})", wrap=9),
        importance="detail",
        faint=lambda x: x.too_few,
    )


def confusion_of(model: ModelAudit, each: GroupErrors, by: ByAttribute) -> Table:
    """Return the true and the predicted classes of one group."""
    rows = zip(model.classes, each.confusion, strict=True)
    return plain_table(
        f"{clipped(each.group, 28)} ({spoken(by.attribute)}): true classes down, predicted across",
        ("", *(clipped(x, 14) for x in model.classes)),
        ((clipped(name, 14), *map(whole, counts)) for name, counts in rows),
        right=range(1, len(model.classes) + 1),
        importance="detail",
    )
