"""The sections of a comparison of two runs: what changed, what was run, clusters, claims, models, people, settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import fer_audit.text as words
from fer_audit.audit.types import compare as types
from fer_audit.audit.types.claim import SAYS, alike
from fer_audit.audit.types.composition import GroupShare
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.report import blocks
from fer_audit.report.blocks import Block
from fer_audit.report.sections.found import left_words
from fer_audit.report.sections.values import claimed, corrected, left, right, spoken, table_of
from fer_audit.report.view import level_words
from fer_audit.text import NO_VALUE, clipped, coefficient, counted, listed, percent, whole

SIGNS = ("●", "◇")
"""How the first run and the second are marked in words."""
CANNOT_SAY = (
    "Which run is right. Two runs that agree can be wrong together, and a partition is not better for being the first.",
    "What made a number change, where more than one thing was set differently. Change one thing at a time.",
    "That two values are equal because their intervals overlap, or that they differ for a reason because they do not:"
    " both runs may hold the same images.",
    "Anything about people outside the two sets, or whether a model is fair.",
)
MANY = 24
"""A table of more clusters or groups is folded."""
_PATH = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/].*?([^\\/]*)[\\/]*")
_OF_PEOPLE = ("demographic", "label")


def signed_runs(found: types.Comparison) -> tuple[tuple[str, types.RunFacts], ...]:
    """Return both runs with their signs."""
    return tuple(zip(SIGNS, (found.first, found.second), strict=True))


def _level(found: types.Comparison) -> str:
    """Return the level of the intervals; nothing where each run's own intervals have another one."""
    own = any(each.name == "confidence" for each in found.differences)
    return "" if own else level_words(found.confidence)


def _changed(found: types.Comparison) -> Iterator[Block]:
    statements = (blocks.Statement(x.severity, x.text, x.figures, x.do) for x in found.findings)
    yield blocks.Statements(tuple(statements), "summary")
    yield blocks.Heading("What a comparison cannot say", "detail")
    yield blocks.Bullets(CANNOT_SAY, "detail")


def _what_was_run(found: types.Comparison) -> Iterator[Block]:
    heads = [f"{sign} {clipped(run.name, 60)}" for sign, run in signed_runs(found)]
    one, two = (_facts(run) for _, run in signed_runs(found))
    rows = [
        (name, one[name], two[name], "" if one[name] == two[name] else "differs") for name in one
    ]
    yield blocks.plain_table("Both runs", ("run", *heads, "same?"), rows, importance="summary")
    text, images = "Inertia compares only between runs on the same vectors.", found.images
    if images.common:
        text += (
            f" Of the images in both, {whole(images.same)} have the same name and bytes, {whole(images.renamed)} another"
            f" name, {whole(images.changed)} other bytes."
        )
    yield blocks.Prose(text, tone="small")


def _facts(run: types.RunFacts) -> dict[str, str]:
    model, length = run.model, NO_VALUE
    if run.norm_mean is not None:
        length = f"{words.number(run.norm_mean)} (sd {words.number(run.norm_sd)})"
    return {
        "set": clipped(run.dataset, 80),
        "fingerprint of the set": f"{run.fingerprint[:16]}…",
        "images listed": whole(run.listed),
        "images ok": whole(run.ok),
        "model": "none" if model is None else clipped(_without_folders(model.name), 80),
        "model sha256": NO_VALUE if model is None else f"{model.sha256[:16]}…",
        "precision": NO_VALUE if model is None else clipped(model.precision, 20),
        "ran on": NO_VALUE if model is None else clipped(model.provider, 60),
        "numbers an image": NO_VALUE if model is None else whole(model.dim),
        "clusters": "none" if run.k is None else whole(run.k),
        "inertia": words.or_dash(run.inertia, words.large),
        "zero features": words.or_dash(run.zero_share, percent),
        "length of a vector": length,
    }


def _without_folders(text: str) -> str:
    """Return a path's last name and any other text as it is: where a file lay is the user's own business."""
    path = _PATH.fullmatch(text)
    return f"…/{path[1]}" if path else text


def _clusters(found: types.Comparison) -> Iterator[Block]:
    if found.cosines:
        mean, low, least = (coefficient(value, 4) for value in found.cosines)
        text = (
            f"Cosine of an image's two vectors: mean {mean}, one in a hundred below {low}, least {least}. It compares one network"
            " in two precisions or with two inputs; of two networks it says nothing."
        )
        same = found.cosines[-1] > 1 - 1e-9
        yield blocks.Prose("The two vectors of each image are the same." if same else text)
    each = found.agreement
    if each.n:
        rows = [
            (
                f"{row} ({whole(sum(counts))})",
                *(whole(n) + " ◀" * ((row, col) in each.matches) for col, n in enumerate(counts)),
            )
            for row, counts in enumerate(each.table)
        ]
        size = len(each.table[0])
        table = blocks.plain_table(
            "Images in each pair of clusters",
            ("first (images) \\ second", *map(str, range(size))),
            rows,
            right=range(1, size + 1),
            importance="detail" if max(size, len(rows)) > MANY else "normal",
        )
        matched = f"{whole(each.matched)} of {counted(each.n, 'image')} are in such a pair"
        note = f"◀ marks the clusters that match best, one to one: {matched}."
        yield replace(table, note=note)


def _claims(found: types.Comparison) -> Iterator[Block]:
    made = [each for each in found.claims if each.first or each.second]
    if not made:
        yield blocks.Prose("Nothing to compare: it takes an attribute of both runs, and clusters.")
        return
    silent = [each for each in made if not (_shown(each.first) or _shown(each.second))]
    shown = [each for each in made if each not in silent]
    title = "How strongly clusters, labels and attributes are associated"
    if shown:
        yield _claim_table(title, shown, found)
    if silent:
        table = _claim_table("At chance in both runs", silent, found)
        yield replace(table, importance="detail", note="")


def _shown(each: types.ClaimInRun | None) -> bool:
    return each is not None and each.strength in SAYS


def _claim_table(
    title: str, made: Sequence[types.ClaimComparison], found: types.Comparison
) -> blocks.Table:
    overlap = {None: NO_VALUE, True: "overlap", False: "apart"}
    return table_of(
        title,
        made,
        left("claim", claimed, wrap=10),
        left(f"{SIGNS[0]} first", lambda x: _strength(x.first), wrap=13),
        left("left", lambda x: _left(x.first), wrap=11),
        left(f"{SIGNS[1]} second", lambda x: _strength(x.second), wrap=13),
        left("left", lambda x: _left(x.second), wrap=11),
        left("intervals", lambda x: overlap[x.intervals_overlap], wrap=9),
        note="Strength in a word and as V~, Cramér's V without the part that a finite sample adds, with its"
        f" {_level(found)}interval. Left: in the comparison that leaves least, its share and how it is judged by what can still"
        " vary. That intervals overlap is no test: both runs may hold the same images.",
    )


def _strength(each: types.ClaimInRun | None) -> str:
    if each is None:
        return "not asked"
    back = "; does not come back" if each.comes_back == "no" and _shown(each) else ""
    return f"{each.strength} {corrected(each)}{back}"


def _left(each: types.ClaimInRun | None) -> str:
    if each is None or each.left is None or not _shown(each):
        return NO_VALUE
    return f"{left_words(each.left)} {alike(each.left.level)}"


def _models(found: types.Comparison) -> Iterator[Block]:
    for each in found.models:
        names = [clipped(name, 40) for name in dict.fromkeys((each.first, each.second)) if name]
        rows = [
            (
                x.measure + (f" by {spoken(x.attribute)}" if x.attribute else ""),
                *(_measured(x.measure, of) for of in (x.first, x.second)),
            )
            for x in each.measures
        ]
        if rows:
            columns = ("measure", f"{SIGNS[0]} first", f"{SIGNS[1]} second")
            yield blocks.plain_table(listed(names), columns, rows, right=(1, 2))


def _measured(measure: str, of: tuple[float, ...]) -> str:
    if measure == "Xu's F":
        return coefficient(of[0])
    return percent(of[0]) + (f" ({words.percent_span(*of[1:])})" if of[1:] else "")


def _people(found: types.Comparison) -> Iterator[Block]:
    people = [each for each in found.attributes if each.kind in _OF_PEOPLE]
    told = [each for each in people if _differs(each)]
    if told:
        text = (
            "Difference is second minus first, in points. ▲ more and ▼ fewer than chance allows (p after"
            " Benjamini-Hochberg over the groups of the attribute)."
        )
        yield blocks.Prose(text, tone="small")
    yield from (_shares(each, found) for each in told)
    others = [each for each in found.attributes if each not in people and _differs(each)]
    if others:
        yield blocks.Heading("How the sets were collected", "detail")
    yield from (_shares(each, found, folded=True) for each in others)


def _differs(each: types.AttributeComparison) -> bool:
    return each.draws > 0 or any(x.difference != 0 for x in each.groups)


def _shares(
    each: types.AttributeComparison, found: types.Comparison, *, folded: bool = False
) -> blocks.Table:
    level, name = _level(found), spoken(each.attribute, 40)
    many = folded or len(each.groups) > MANY
    return table_of(
        f"Shares of {name}" + ("" if each.kind == "demographic" else f" ({each.kind})"),
        each.groups,
        left(name, lambda x: clipped(x.name, 60), wrap=8),
        left(f"first (count; {level}interval)", lambda x: _share(x.first), wrap=16),
        left(f"second (count; {level}interval)", lambda x: _share(x.second), wrap=16),
        right("difference", lambda x: _difference(x, found.alpha)),
        right(
            f"{level}interval",
            lambda x: NO_VALUE if x.low is None else words.difference_span(x.low, x.high),
            drop=2,
        ),
        right("p", lambda x: words.or_dash(x.p_adjusted, words.p_text), drop=1),
        importance="detail" if many else "normal",
        faint=lambda x: any(of and (of.count or 0) < TOO_FEW for of in (x.first, x.second)),
        note=f"{words.sentence(clipped(each.reading, 300))}.",
    )


def _share(group: GroupShare | None) -> str:
    if group is None:
        return "no such group"
    return words.share_text(group.share, group.count, group.low, group.high)


def _difference(group: types.GroupChange, alpha: float) -> str:
    """Write a difference in points, marked where it is more than chance allows: +1.2 ▲."""
    value, p = group.difference, group.p_adjusted
    if value is None:
        return NO_VALUE
    clear = value and p is not None and p <= alpha
    return words.difference(value) + (f" {'▲' if value > 0 else '▼'}" if clear else "")


def _settings(found: types.Comparison) -> Iterator[Block]:
    rows = [
        (
            x.kind,
            clipped(spoken(x.name, 60) if x.kind == "attribute" else x.name, 60),
            _setting(x.first),
            _setting(x.second),
        )
        for x in found.differences
    ]
    if rows:
        yield blocks.plain_table(
            "Everything that differs", ("of", "name", "first", "second"), rows
        )


def _setting(text: str | None) -> str:
    """Return a setting; one that is absent and one that is empty are not the same."""
    if text is None:
        return "not there"
    if text == "null":
        return "not set"
    return clipped(_without_folders(text), 200) if text else "empty"


SECTIONS: tuple[tuple[str, str, Callable[[types.Comparison], Iterator[Block]]], ...] = (
    ("changed", "What changed?", _changed),
    ("runs", "The runs", _what_was_run),
    ("clusters", "Do the clusters agree?", _clusters),
    ("claims", "Do the claims stand?", _claims),
    ("models", "Do the models do as well?", _models),
    ("people", "Who is in them?", _people),
    ("settings", "What was set differently?", _settings),
)
"""(anchor, title, blocks) in the order of a report; one without blocks is left out."""
