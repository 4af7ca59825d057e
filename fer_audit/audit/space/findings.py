"""Findings about style and the latent space: who is photographed differently, and whose images are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.audit.types.space import PairOverlap, StyleTest
from fer_audit.text import (
    coefficient,
    counted,
    display,
    listed,
    measured,
    p_phrase,
    percent,
    rounded_percent,
    sentence,
    span,
    unreached,
)

SMALL = 0.01
"""Share of variance between groups from which a style measure is named: Cohen's small effect."""
_FAMILY = {
    **dict.fromkeys(("luma_mean", "luma_std"), "brightness"),
    **dict.fromkeys(("saturation", "colourfulness", "grey"), "colour"),
    **dict.fromkeys(("border_red", "border_green", "border_blue"), "background"),
    "sharpness": "sharpness",
    "bytes_per_pixel": "compression",
}
"""A measure of style -> what it is a measure of, in a word."""
HOMOPHILY = 0.05
"""Neighbours of the own group beyond chance, as a share of what chance leaves, to be named."""
BEYOND = 0.2
"""Share of a group that must lie in a cluster beyond the cluster's own share of all images."""
REGION = 0.4
"""Jaccard index from which a group is said to lie in a cluster."""
REPRODUCED = 0.25
"""Ratio of V~ of style alone to the embedding's, from which it is named."""


def photographed_differently(result: AuditResult) -> Iterator[Finding]:
    """Yield one finding for each attribute whose groups differ in style measures."""
    alpha = result.config.statistics.alpha
    kinds = {each.attribute: each.kind for each in result.representation}
    shown: dict[str, list[tuple[float, StyleTest]]] = {}
    for test in result.style_tests:
        effect, beyond = (
            test.rank_effect or 0.0,
            test.p_adjusted is not None and test.p_adjusted <= alpha,
        )
        if kinds.get(test.attribute) == "demographic" and beyond and effect >= SMALL:
            shown.setdefault(test.attribute, []).append((effect, test))
    for attribute, tests in shown.items():
        tests.sort(key=lambda each: -each[0])
        asked = sum(each.attribute == attribute for each in result.style_tests)
        top = tests[0][0]
        what = listed(list(dict.fromkeys(_FAMILY[x.measure] for n, x in tests if n >= top / 4)))
        skin = "; skin itself may contribute" if what.startswith(("brightness", "colour")) else ""
        yield Finding(
            code="photographed_differently",
            severity="know",
            text=f"{sentence(what)} {'differ' if ' and ' in what else 'differs'} by {display(attribute)}{skin}.",
            attribute=attribute,
            effect=0.3 + top / 2,
            figures=f"{', '.join(_describe_style(test) for _, test in tests[:2])}; {len(tests)} of {counted(asked, 'measure')} differ, shuffled by {display(tests[0][1].unit)}, n = {tests[0][1].n:,}",
            do="Read claims by what is left among images of the same style.",
            values=tuple((test.measure, effect) for effect, test in tests),
        )


def _describe_style(test: StyleTest) -> str:
    ends = ""
    if test.lowest is not None and test.highest is not None:
        ends = f", medians {measured(test.lowest_median)} ({test.lowest}) to {measured(test.highest_median)} ({test.highest})"
    return f"{display(test.measure)} explains {percent(test.rank_effect)} of ranks{ends}"


def style_alone(result: AuditResult) -> Iterator[Finding]:
    """Yield what clusters made from style alone follow."""
    alpha = result.config.statistics.alpha
    rungs = {each.attribute: each.highest for each in result.ladders if each.of == "cluster"}
    shown = [
        each
        for each in result.style_baselines
        if each.p is not None
        and each.p <= alpha
        and (each.low or 0.0) > 0
        and each.reproduced is not None
        and each.reproduced >= REPRODUCED
        and rungs.get(each.attribute, 0) >= 3
    ]
    if not shown:
        return
    shown.sort(key=lambda each: -(each.reproduced or 0.0))
    told = ", ".join(
        f"{display(each.attribute)} {coefficient(each.v_corrected)} ({span(each.low, each.high)} by {display(each.unit)}) for the embedding's {coefficient(each.embedding_v)}"
        for each in shown
    )
    names = listed([display(each.attribute) for each in shown])
    text = f"Clusters made from brightness, colour and sharpness alone also separate {names}."
    effect = 0.3 + min(1.0, shown[0].reproduced or 0.0) / 4
    figures = f"strength {told}; {shown[0].k} clusters, n = {shown[0].n:,}; it need not be the same association"
    do = "Read claims by what is left among images of the same style."
    values = tuple((each.attribute, each.v_corrected or 0.0) for each in shown)
    yield Finding("style_alone", "know", text, shown[0].attribute, effect, figures, do, "", values)


def _most_like_a_cluster(result: AuditResult, attribute: str) -> tuple[float, str, str]:
    """Return the cluster and the group of the largest Jaccard index: the index, where the group lies, and its figures."""
    for each in result.associations:
        table = np.array([[count or 0 for count in row] for row in each.table])
        if each.attribute != attribute or not table.size or not table.any():
            continue
        clusters, groups = table.sum(axis=1), table.sum(axis=0)
        jaccard = table / np.maximum(clusters[:, None] + groups[None, :] - table, 1)
        cluster, group = np.unravel_index(int(jaccard.argmax()), jaccard.shape)
        both, most = int(table[cluster, group]), float(jaccard.max())
        held, size = both / int(groups[group]), int(clusters[cluster]) / int(table.sum())
        if held - size < BEYOND:
            continue
        where = f"{rounded_percent(held)} of {each.groups[group]} ({display(attribute)}) lie in cluster {cluster}, which has {rounded_percent(size)} of all images"
        part = f"{percent(both / int(clusters[cluster]))} of cluster {cluster}, Jaccard {coefficient(most)}"
        return most, where, part
    return 0.0, "", ""


def _cuts(pairs: Sequence[PairOverlap]) -> Iterator[str]:
    """Yield how well straight cuts separate two groups; pairs whose intervals overlap are not ranked."""
    ranked = sorted((x for x in pairs if x.low is not None), key=lambda each: each.auc or 0)
    if not ranked:
        return
    least, most = ranked[0], ranked[-1]
    one, other = (
        f"{x.first} and {x.second} {coefficient(x.auc)} ({span(x.low, x.high)})"
        for x in (most, least)
    )
    said = "AUC of a straight cut (.5 = none)"
    if least is most:
        yield f"{said}: {one}"
    elif not _above(most, least):
        yield f"{said}: {one} and {other}, not distinguished"
    else:
        best = "highest" if _above(most, ranked[-2]) else "among the highest"
        worst = "lowest" if _above(ranked[1], least) else "among the lowest"
        yield f"{said}: {best} {one}, {worst} {other}"


def _above(one: PairOverlap, other: PairOverlap) -> bool:
    """Return whether the interval of one pair lies above the other's."""
    return (one.low or 0.0) > (other.high or 0.0)


def apart(result: AuditResult) -> Iterator[Finding]:
    """Yield one finding for each attribute whose groups are apart in the latent space."""
    alpha = result.config.statistics.alpha
    for overlap in result.latent:
        homophily, expected, p = overlap.homophily, overlap.expected, overlap.p
        if homophily is None or expected is None or p is None:
            continue
        gain = (homophily - expected) / max(1 - expected, 1e-9)
        if p > alpha or gain < HOMOPHILY:
            continue
        jaccard, where, part = _most_like_a_cluster(result, overlap.attribute)
        near = (
            f"{rounded_percent(homophily)} of an image's nearest neighbours share its {display(overlap.attribute)};"
            f" shuffled labels give {rounded_percent(expected)}"
        )
        told = p_phrase(p, at_most=unreached(p, overlap.permutations))
        neighbours = (
            f"{percent(homophily)} of {overlap.neighbours} neighbours, shuffled labels {percent(expected)}"
            f" ({told}, shuffled by {display(overlap.unit)}; {overlap.n:,} of {counted(overlap.drawn_from, 'unique image')})"
        )
        aucs = ((f"auc.{x.first}.{x.second}", x.auc) for x in overlap.pairs if x.auc is not None)
        text = f"{where if jaccard >= REGION else near}."
        attribute = overlap.attribute
        effect = 0.4 + min(1.0, gain) / 4
        figures = "; ".join([*([part] if part else []), neighbours, *_cuts(overlap.pairs)])
        do = "Report results of what is built on these vectors for each group."
        values = (
            *(("homophily", homophily), ("expected", expected), ("jaccard", jaccard)),
            *aucs,
        )
        yield Finding("latent_overlap", "know", text, attribute, effect, figures, do, "", values)
