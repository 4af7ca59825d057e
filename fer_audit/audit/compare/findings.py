"""What two runs say about each other in sentences, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import fer_audit.text as words
from fer_audit.audit.compare.claims import overlap
from fer_audit.audit.compare.sets import SAME, TESTED_KINDS
from fer_audit.audit.types import compare as types
from fer_audit.audit.types.claim import CLUSTER, SAYS
from fer_audit.audit.types.result import Finding, Severity
from fer_audit.text import coefficient, counted, display, listed, part, percent, sentence, span

NEARLY_SAME = 0.9
_JUDGED = (
    (NEARLY_SAME, "nearly the same partition"),
    (0.65, "similar partitions"),
    (0.2, "alike in part"),
)
"""ARI from which partitions are called so. The first two are Steinley's (2004, Psychological Methods 9) excellent and moderate
recovery; below the last we call them different."""
NAMED = 3
"""Names in a sentence before it says how many more there are."""


def find_changes(found: types.Comparison) -> Iterator[Finding]:
    """Yield the sentences of a comparison."""
    if not _changed(found):
        text = "Nothing changed: same images, settings, model, groups and clusters, to the last count."
        yield _say("nothing_changed", "fine", text)
    yield from _images(found)
    yield from _set_otherwise(found)
    if found.images.common:
        yield _clusters(found)
    yield from _claims(found)
    yield from map(_model, found.models)
    yield from _shares(found)


def _say(
    code: str,
    severity: Severity,
    text: str,
    figures: str = "",
    do: str = "",
    attribute: str | None = None,
) -> Finding:
    return Finding(code, severity, text, attribute, figures=figures, do=do)


def _some(words: Sequence[str], limit: int = NAMED) -> str:
    more = [f"{len(words) - limit} more"] if len(words) > limit else []
    return listed([*words[:limit], *more])


def _changed(found: types.Comparison) -> bool:
    one, two = replace(found.first, name=""), replace(found.second, name="")
    images, agreement = found.images, found.agreement
    pairs = (
        (one, two),
        (images.common - images.changed, one.listed),
        (agreement.matched, agreement.n),
        *((each.first, each.second) for each in found.claims),
        *((x.first, x.second) for each in found.models for x in each.measures),
        *((x.first, x.second) for each in found.attributes for x in each.groups),
    )
    relabelled = any(each.relabelled for each in found.attributes)
    return relabelled or bool(found.differences) or any(a != b for a, b in pairs)


def _images(found: types.Comparison) -> Iterator[Finding]:
    images, first, second = found.images, found.first.listed, found.second.listed
    if not images.common:
        text = "The runs have no image in common: they are two sets."
        do = "Compare shares and strengths only, not clusters; what makes them differ cannot be told."
        yield _say("no_common_image", "know", text, f"{first:,} and {second:,} images", do)
    elif images.common == first == second:
        renamed = f", {images.renamed:,} of them under another name" if images.renamed else ""
        text = f"Both runs list the same {counted(images.common, 'image')}{renamed}."
        yield _say("same_images", "fine", text)
    else:
        text = f"The runs share {counted(images.common, 'image')}."
        of = f"{part(images.common, first)} of the first, {part(images.common, second)} of the second"
        yield _say("some_images", "fine", text, of, "Nothing: shared images count as shared.")
    if images.changed:
        share = words.rounded_percent(images.changed / images.common)
        text = f"{share} of the common images have the same name but other bytes."
        do = "Look whether they are other pictures: then nothing here that counts common images holds."
        severity: Severity = "fix" if images.changed > images.common / 2 else "know"
        yield _say("changed_files", severity, text, part(images.changed, images.common), do)


CHANGES_THE_SET = {"only", "weights", "map", "first", "sample", "age_bins"}
"""Settings of which another set is the consequence, not a second difference."""


def _set_otherwise(found: types.Comparison) -> Iterator[Finding]:
    by_kind = {
        kind: [x for x in found.differences if x.kind == kind]
        for kind in ("model", "setting", "version", "rule", "attribute")
    }
    names = [f"setting {x.name}" for x in by_kind["setting"]]
    model = {x.name for x in by_kind["model"]} - {"caveat"}
    if model and "setting model" not in names:
        names.append("the model" if "name" in model else "the model file")
    names += [f"version of {x.name}" for x in by_kind["version"]]
    same = found.first.fingerprint == found.second.fingerprint
    if not same and not CHANGES_THE_SET & {x.name for x in by_kind["setting"]}:
        names.append("the set")
    if len(names) == 1:
        text = f"1 thing differs between the runs: {names[0]}."
        yield _say("settings", "fine", text, do="Nothing: one thing was changed at a time.")
    elif names:
        text = f"{len(names)} things differ between the runs: {_some(names, 2 * NAMED)}."
        do = "Change one thing at a time: no change of a number can be attributed to one of them alone."
        yield _say("settings", "know", text, do=do)
    if rules := by_kind["rule"]:
        text = f"{counted(len(rules), '--fail-on rule')} found otherwise."
        figures = "; ".join(f"{x.name}: {x.first}, then {x.second}" for x in rules)
        yield _say("rules", "know", text, figures, "See each run's own report for what it found.")
    for side in ("first", "second"):
        alone = [display(x.name) for x in by_kind["attribute"] if getattr(x, side) is not None]
        if alone:
            text = f"Only the {side} run has {_some(alone, 2 * NAMED)}."
            yield _say("other_attributes", "know", text)


def _clusters(found: types.Comparison) -> Finding:
    agreement, ks = found.agreement, (found.first.k, found.second.k)
    if agreement.ari is None or agreement.p is None:
        reason = dict(agreement.not_computable).get("ari", "")
        return _say("no_agreement", "fine", f"The clusters cannot be compared: {reason}.")
    judged = next(
        (word for limit, word in _JUDGED if agreement.ari >= limit), "different partitions"
    )
    if agreement.matched == agreement.n:
        judged = "the same partition"
    if agreement.p > found.alpha:
        judged += ", no more alike than shuffled labels"
    p = words.p_phrase(agreement.p, at_most=words.unreached(agreement.p, agreement.permutations))
    figures = (
        f"{span(agreement.low, agreement.high)} on {counted(agreement.n, 'common image')}, {p} against shuffled labels, 95 % of which"
        f" stay under {coefficient(agreement.null_95)};"
        f" numbered to fit, {part(agreement.matched, agreement.n)} are in the same cluster"
    )
    if ks[0] != ks[1]:
        figures += f"; with k = {ks[0]} and {ks[1]} they cannot agree fully"
    text = f"The two runs' clusters are {judged} (ARI {coefficient(agreement.ari)})."
    if agreement.ari >= NEARLY_SAME:
        return _say("agreement", "fine", text, figures)
    do = "Compare no cluster of the one with that of the same number in the other."
    return _say("agreement", "know", text, figures, do)


def _claims(found: types.Comparison) -> Iterator[Finding]:
    silent = []
    said = {True: "overlap", False: "do not overlap", None: "cannot be compared"}
    for each in found.claims:
        one, two = each.first, each.second
        if each.kind not in TESTED_KINDS or one is None or two is None or one == two:
            continue
        if one.strength not in SAYS and two.strength not in SAYS:
            silent.append(claim_name(each))
            continue
        apart = each.intervals_overlap is False
        turned = one.holds != two.holds or _grade(one) != _grade(two)
        text = f"{sentence(claim_name(each))}: {_state(one)} in the first run, {_state(two)} in the second."
        figures = f"{_ends(one)} and {_ends(two)}; the intervals {said[each.intervals_overlap]}"
        do = "Quote it with its run." if apart else "Do not call it a change of the strength."
        severity: Severity = "know" if apart or turned else "fine"
        yield _say("claim", severity, text, figures, do, each.attribute)
    if silent:
        text = f"No association is shown in either run for {_some(silent, 2 * NAMED)}."
        yield _say("nothing_beyond_chance", "fine", text)


def claim_name(each: types.ClaimComparison) -> str:
    """Write what a claim is about: clusters and race."""
    of = "clusters" if each.of == CLUSTER else display(each.of)
    return f"{of} and {display(each.attribute)}"


def _grade(one: types.ClaimInRun) -> str:
    return one.left.grade if one.left is not None and one.strength in SAYS else ""


def _state(one: types.ClaimInRun) -> str:
    left = f", left: {_grade(one)}" if _grade(one) else ""
    gone = ", does not come back" if one.comes_back == "no" and one.strength in SAYS else ""
    return f"{one.strength} (V~ {coefficient(one.v_corrected)}{left}{gone})"


def _model(each: types.ModelComparison) -> Finding:
    name = listed(list(dict.fromkeys(x for x in (each.first, each.second) if x)))
    if not (each.first and each.second):
        side = "first" if each.first else "second"
        return _say("model", "fine", f"Only the {side} run has predictions of {name}.")
    if not each.measures:
        text = f"How well {name} did cannot be compared: true labels are missing."
        return _say("model", "fine", text)
    one, two = each.measures[0].first, each.measures[0].second
    shares = [words.rounded_percent(x[0]) for x in (one, two)]
    text = f"{name}: {shares[0]} right in the first run, {shares[1]} in the second."
    figures = " and ".join(
        f"{percent(x[0])} ({words.percent_span(*x[1:])}) of {counted(n, 'image')}"
        for x, n in ((one, each.first_labelled), (two, each.second_labelled))
    )
    if overlap(one[1:], two[1:]) is False:
        do = "Look at the worst recall and the gap, too: a better mean may leave a group behind."
        return _say("model", "know", text, figures, do)
    do = "" if one == two else "Do not call it a change: the intervals overlap."
    return _say("model", "fine", text, figures, do)


def _ends(one: types.ClaimInRun) -> str:
    return (
        f"{span(one.low, one.high)} (chance under {words.at_least_one(one.chance)}, n = {one.n:,})"
    )


def _shares(found: types.Comparison) -> Iterator[Finding]:
    people = [each for each in found.attributes if each.kind in TESTED_KINDS]
    if same := [display(each.attribute) for each in people if each.reading == SAME]:
        text = f"Same images, same labels: the shares of {_some(same, 2 * NAMED)} are equal."
        yield _say("same_shares", "fine", text)
    for each in people:
        name = sentence(display(each.attribute))
        if each.relabelled and each.common:
            share = words.rounded_percent(each.relabelled / each.common)
            text = f"{name}: {share} of the common images carry another label."
            do = "Look which run has the right labels; the shares are not tested."
            figures = part(each.relabelled, each.common)
            yield _say("relabelled", "know", text, figures, do, each.attribute)
        if not each.draws:
            continue
        tested = [group for group in each.groups if group.p_adjusted is not None]
        moved = [group for group in tested if (group.p_adjusted or 0.0) <= found.alpha]
        if moved:
            moved.sort(key=lambda group: -abs(group.difference or 0.0))
            differ = "differs" if len(moved) == 1 else "differ"
            text = f"{name}: {len(moved)} of {counted(len(tested), 'share')} {differ} by more than chance allows."
            do = "Say so wherever numbers of the two sets are compared."
            yield _say("shares", "know", text, _some(list(map(_moved, moved))), do, each.attribute)
        else:
            least = min((group.p_adjusted or 0.0 for group in tested), default=1.0)
            text = f"{name}: no share differs by more than chance allows."
            figures = f"{counted(len(tested), 'group')}, smallest {words.p_phrase(least)} after Benjamini-Hochberg"
            yield _say("shares_alike", "fine", text, figures, attribute=each.attribute)


def _moved(group: types.GroupChange) -> str:
    first, second = (None if x is None else x.share for x in (group.first, group.second))
    points = f"{words.difference(group.difference or 0.0)} points ({words.difference_span(group.low, group.high)})"
    return f"{group.name} {percent(first)} and {percent(second)}, {points}"
