"""What two runs say about each other in sentences, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Iterator

from fer_audit.audit.types.compare import (
    AttributeComparison,
    Comparison,
    ComparisonFinding,
    GroupChange,
    RunAssociation,
)
from fer_audit.text import (
    coefficient,
    counted,
    difference,
    difference_span,
    display,
    listed,
    measured,
    p_phrase,
    part,
    percent,
    sentence,
    span,
)

NEARLY_SAME, ALIKE, RELATED = 0.9, 0.65, 0.2
"""ARI from which partitions are called nearly the same, alike, and alike in part. The first two are Steinley's
(2004, Psychological Methods 9) excellent and moderate recovery; below the last we call them different."""
NAMED = 3
"""Names in a sentence before it says how many more there are."""
_SHARES = ("demographic", "label")


def find_changes(found: Comparison) -> Iterator[ComparisonFinding]:
    """Yield the sentences of a comparison."""
    unchanged = not any(_all_changes(found))
    if unchanged:
        yield ComparisonFinding(
            "nothing_changed",
            "fine",
            "Nothing changed: same images, settings, model, groups and clusters, to the last count.",
        )
    yield _images(found)
    yield from _changed_bytes(found)
    yield from _clusters(found)
    for each in found.attributes:
        yield from _association(each, found)
        yield from _rungs(each)
        yield from _shares(each, found)
        yield from _labels(each)
    yield from _only_one(found)
    yield from _vectors(found)
    yield from _settings(found)


def _all_changes(found: Comparison) -> Iterator[object]:
    images, one, two = found.images, found.first, found.second
    yield images.common != images.first or images.common != images.second or images.changed
    yield (one.ok, one.k, one.inertia, one.vectors) != (two.ok, two.k, two.inertia, two.vectors)
    agreement = found.agreement
    yield agreement.matched != agreement.n
    yield found.only_first or found.only_second
    yield found.model or found.settings or found.versions
    for each in found.attributes:
        yield each.relabelled or each.rungs or each.first != each.second
        yield any(group.difference != 0 for group in each.groups if group.difference is not None)
        yield any(group.first_count != group.second_count for group in each.groups)


def _images(found: Comparison) -> ComparisonFinding:
    images = found.images
    if not images.common:
        text = (
            f"The runs have no image in common ({images.first:,} and {images.second:,}), so their clusters "
            "cannot be compared image by image."
        )
        return ComparisonFinding("no_common_image", "know", text)
    if images.common == images.first == images.second:
        renamed = f", {images.renamed:,} of them under another name" if images.renamed else ""
        text = f"Both runs list the same {counted(images.common, 'image')}{renamed}."
        return ComparisonFinding("same_images", "fine", text)
    text = (
        f"The runs share {counted(images.common, 'image')}: {part(images.common, images.first)} of the first, "
        f"{part(images.common, images.second)} of the second."
    )
    return ComparisonFinding("some_images", "fine", text)


def _changed_bytes(found: Comparison) -> Iterator[ComparisonFinding]:
    images = found.images
    if images.changed:
        text = (
            f"{part(images.changed, images.common)} of the common images have the same name but other bytes. "
            "If they are other pictures, nothing here that counts common images holds."
        )
        severe = images.changed > images.common / 2
        yield ComparisonFinding("changed_files", "fix" if severe else "know", text)


def _clusters(found: Comparison) -> Iterator[ComparisonFinding]:
    agreement = found.agreement
    if agreement.ari is None or agreement.low is None or agreement.high is None:
        reason = dict(agreement.not_computable).get("ari", "")
        yield ComparisonFinding(
            "no_agreement", "fine", f"The clusters cannot be compared: {reason}."
        )
        return
    whole = agreement.matched == agreement.n
    judged = _judged(agreement.ari, whole=whole)
    chance = ""
    if agreement.p is not None and agreement.p > found.alpha:
        chance = f", no more alike than shuffled labels ({p_phrase(agreement.p)})"
    spread = "" if whole else f" ({span(agreement.low, agreement.high)})"
    ks = (found.first.k, found.second.k)
    other_k = f" With k = {ks[0]} and {ks[1]} they cannot agree fully." if ks[0] != ks[1] else ""
    text = (
        f"The two runs' clusters agree at ARI {coefficient(agreement.ari)}{spread} on "
        f"{counted(agreement.n, 'common image')}: {judged}{chance}. Numbered to fit, "
        f"{part(agreement.matched, agreement.n)} are in the same cluster.{other_k}"
    )
    yield ComparisonFinding("agreement", "know" if agreement.ari < NEARLY_SAME else "fine", text)


def _judged(ari: float, *, whole: bool) -> str:
    if whole:
        return "they are the same partition"
    if ari >= NEARLY_SAME:
        return "they are nearly the same partition"
    if ari >= ALIKE:
        return "they are similar partitions"
    return "they are alike in part" if ari >= RELATED else "they are different partitions"


def _association(each: AttributeComparison, found: Comparison) -> Iterator[ComparisonFinding]:
    if each.kind not in _SHARES or each.first is None or each.second is None:
        return
    if each.first == each.second or each.intervals_overlap is None:
        return
    changed = "overlap" if each.intervals_overlap else "do not overlap"
    band = ""
    if (found.first.k, each.first.n) != (found.second.k, each.second.n):
        band = (
            " As k or the number of images differs, compare each V with what 95 % of shuffled labels stay under: "
            f"{coefficient(each.first.v)} and {coefficient(each.first.null_95)}, {coefficient(each.second.v)} and {coefficient(each.second.null_95)}."
        )
    text = (
        f"{display(each.attribute)} and clusters: V~ is {_interval(each.first)} in the first run and "
        f"{_interval(each.second)} in the second; the intervals {changed}. Knowing the cluster "
        f"removes {_known(each.first)} and {_known(each.second)} of the uncertainty about it (Theil's U, chance "
        f"included).{band}"
    )
    yield ComparisonFinding(
        "association",
        "fine" if each.intervals_overlap else "know",
        sentence(text),
        each.attribute,
    )


def _rungs(each: AttributeComparison) -> Iterator[ComparisonFinding]:
    one, two = each.first, each.second
    if one is None or two is None or one.highest is None or two.highest is None or not each.rungs:
        return
    turned = [f"{rung.name} ({rung.first}, then {rung.second})" for rung in each.rungs]
    more = f", and {len(turned) - NAMED} more" if len(turned) > NAMED else ""
    reached = (
        f"reaches rung {one.highest} of {one.rungs} in both runs"
        if (one.highest, one.rungs) == (two.highest, two.rungs)
        else f"reaches rung {one.highest} of {one.rungs} in the first run and {two.highest} of {two.rungs} in the second"
    )
    text = f"The claim about {display(each.attribute)} {reached}. What changed: {listed(turned[:NAMED])}{more}."
    moved = one.highest != two.highest
    yield ComparisonFinding("rungs", "know" if moved else "fine", text, each.attribute)


def _shares(each: AttributeComparison, found: Comparison) -> Iterator[ComparisonFinding]:
    if each.kind not in _SHARES:
        return
    if not each.tested:
        if each.reading == "same images, shares equal":
            yield ComparisonFinding(
                "same_shares",
                "fine",
                f"{sentence(display(each.attribute))}: {each.reading}, so there is nothing to test.",
                each.attribute,
            )
        return
    tested = [group for group in each.groups if group.p_adjusted is not None]
    moved = [group for group in tested if (group.p_adjusted or 0.0) <= found.alpha]
    if not moved:
        smallest = min(((group.p_adjusted or 0.0) for group in tested), default=1.0)
        text = (
            f"{display(each.attribute)}: no share differs by more than chance allows "
            f"({counted(len(tested), 'group')}, smallest {p_phrase(smallest)} after Benjamini-Hochberg)."
        )
        yield ComparisonFinding("shares_alike", "fine", sentence(text), each.attribute)
        return
    moved.sort(key=lambda group: -abs(group.difference or 0.0))
    more = f", and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    text = (
        f"{display(each.attribute)}: {len(moved)} of {counted(len(tested), 'share')} "
        f"{'differs' if len(moved) == 1 else 'differ'} by more than chance allows: "
        f"{listed([_moved(group) for group in moved[:NAMED]])}{more}."
    )
    yield ComparisonFinding("shares", "know", sentence(text), each.attribute)


def _labels(each: AttributeComparison) -> Iterator[ComparisonFinding]:
    if each.relabelled and each.common:
        text = (
            f"{display(each.attribute)}: {part(each.relabelled, each.common)} of the common images carry another "
            "label in the second run, so the shares are not tested."
        )
        yield ComparisonFinding("relabelled", "know", sentence(text), each.attribute)


def _only_one(found: Comparison) -> Iterator[ComparisonFinding]:
    for side, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            shown = listed([display(name) for name in names[:NAMED]])
            more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
            text = f"Only the {side} run has {shown}{more}."
            yield ComparisonFinding("other_attributes", "know", text)


def _vectors(found: Comparison) -> Iterator[ComparisonFinding]:
    one, two = found.first.vectors, found.second.vectors
    if one is None or two is None or one == two:
        return
    if None in (one.zero_share, two.zero_share, one.norm_mean, two.norm_mean):
        return
    text = (
        f"{percent(one.zero_share or 0.0)} of the first run's features are zero ({counted(one.n, 'image')} of {one.dim:,} "
        f"numbers), {percent(two.zero_share or 0.0)} of the second's ({counted(two.n, 'image')} of {two.dim:,}); "
        f"the mean length of a vector is {measured(one.norm_mean)} and {measured(two.norm_mean)}."
    )
    yield ComparisonFinding("vectors", "fine", text)


def _settings(found: Comparison) -> Iterator[ComparisonFinding]:
    names = [f"setting {each.name}" for each in found.settings]
    model = {each.name for each in found.model}
    set_already = {each.name for each in found.settings}
    if model - {"caveat"} and "model" not in set_already:
        names.append("the model file" if "name" not in model else "the model")
    names += [f"version of {each.name}" for each in found.versions]
    if found.first.fingerprint != found.second.fingerprint:
        names.append("the set")
    if not names:
        return
    shown = listed(names[: 2 * NAMED])
    more = f", and {len(names) - 2 * NAMED} more" if len(names) > 2 * NAMED else ""
    text = f"{counted(len(names), 'thing')} {'differs' if len(names) == 1 else 'differ'} between the runs: {shown}{more}."
    if len(names) > 1:
        text += " No change of a number can be attributed to one of them alone."
    yield ComparisonFinding("settings", "fine" if len(names) == 1 else "know", text)


def _moved(group: GroupChange) -> str:
    before, after = group.first_share or 0.0, group.second_share or 0.0
    change = ""
    if group.difference is not None and group.low is not None and group.high is not None:
        points = f"({difference_span(group.low, group.high)})"
        change = f", {difference(group.difference)} points {points}"
    return f"{group.name} {percent(before)} and {percent(after)}{change}"


def _interval(one: RunAssociation) -> str:
    if one.low is None or one.high is None:
        return coefficient(one.v_corrected)
    return f"{coefficient(one.v_corrected)} ({span(one.low, one.high)})"


def _known(one: RunAssociation) -> str:
    return "?" if one.u_group_from_cluster is None else percent(one.u_group_from_cluster)
