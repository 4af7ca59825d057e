"""Would another seed, another k or a small study say the same? Seeds, resamples, the sweep over k, halves, and studies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fer_audit.text as t
from fer_audit.audit.types.stability import (
    AttributeStability,
    Replay,
    ReplayAttribute,
    StabilityFacts,
    VariantV,
)
from fer_audit.report import blocks as b
from fer_audit.report.charts.stability import come_back, histogram, sweep
from fer_audit.report.sections import values as v
from fer_audit.report.view import View


@v.section("stability", "Would another seed or another k say the same?")
def stability(view: View) -> Iterator[b.Block]:
    """Return how much of the partition is the data's, and how much the seed's or k's; nothing if not measured."""
    facts = view.result.stability
    if facts is None:
        return
    text = f"Other seeds: {t.because(facts.not_computable)}."
    if facts.ari_median is not None:
        text = (
            f"{t.counted(facts.seeds, 'other seed')}: two partitions agree with ARI {t.coefficient(facts.ari_median)} (median;"
            f" {t.span(facts.ari_min, facts.ari_max)}), where 1 is the same and 0 no more than chance."
        )
    yield b.Prose(text)
    if facts.clusters:
        yield _clusters(view, facts)
        yield b.Charts(lambda: [come_back(facts, view.palette)])
    swept = [each for each in facts.attributes if each.ks or each.seeds or each.half_v is not None]
    if swept:
        yield _sweep(swept, view.k, view.level)
        yield b.Charts(lambda: [sweep(each) for each in facts.attributes])
    if seeds := [(each.attribute, variant) for each in swept for variant in each.seeds]:
        yield v.table_of(
            "Each other seed",
            seeds,
            v.left("attribute", lambda x: v.spoken(x[0]), wrap=9),
            v.right("k", lambda x: f"{x[1].k}"),
            v.right("seed", lambda x: f"{x[1].seed}"),
            v.right("V~", lambda x: v.zero(x[1].v_corrected)),
            v.right("95 % of chance", lambda x: v.zero(x[1].null_95)),
            importance="detail",
        )


def _clusters(view: View, facts: StabilityFacts) -> b.Table:
    clustering = view.result.clustering
    sizes = () if clustering is None else clustering.sizes
    words = {True: "stable", False: "unstable: nothing rests on it"}
    return v.table_of(
        "Does each cluster come back?",
        facts.clusters,
        v.right("cluster", lambda x: f"{x.cluster}"),
        v.right("images", lambda x: t.whole(sizes[x.cluster]) if x.cluster < len(sizes) else ""),
        v.left("", lambda x: b.Bar(x.jaccard, 1.0), drop=1),
        v.right("Jaccard", lambda x: t.coefficient(x.jaccard)),
        v.left(
            "comes back in resamples",
            lambda x: b.Sign(b.state_of(x.stable), words[x.stable]),
            wrap=12,
        ),
        faint=lambda x: not x.stable,
    )


def _sweep(swept: Sequence[AttributeStability], k: int | None, level: str) -> b.Table:
    """Return one row for each k, two columns for each attribute."""
    values = [value for x in swept for y in x.ks for value in (y.v_corrected, y.null_95)]
    full = max(values, default=1.0)
    columns = [b.Column("k", wrap=8)]
    for each in swept:
        columns += [b.Column(v.spoken(each.attribute, 20), wrap=12), b.Column("", drop=1)]
    rows: list[tuple[b.Cell, ...]] = []
    for number in sorted({x.k for each in swept for x in each.ks}):
        cells = (cell for each in swept for cell in _at(each.ks, number, full))
        rows.append((f"{number} ◀ used" if number == k else f"{number}", *cells))
    if any(each.seeds for each in swept):
        rows.append(("other seeds", *(cell for x in swept for cell in (_over_seeds(x), ""))))
    rows.append(("held-out half", *(cell for x in swept for cell in (_half(x), ""))))
    note = (
        "V~ / what 95 % of shuffled labels stay under; ✗ where V~ is not above it. Compare V~ across k only with that limit:"
        " more clusters find more by chance. Held-out half: clusters made from one half of the images, each image of the other"
        f" half assigned to the nearest centre; V~ with its {level}interval and Holm p."
    )
    table = b.Table("Each attribute in other partitions", tuple(columns), tuple(rows), note=note)
    return v.without_empty_columns(table)


def _lost(variants: Sequence[VariantV]) -> str:
    return " ✗" if any(each.v_corrected <= each.null_95 for each in variants) else ""


def _at(variants: Sequence[VariantV], k: int, full: float) -> tuple[b.Cell, b.Cell]:
    for each in variants:
        if each.k == k:
            text = f"{v.zero(each.v_corrected)} / {v.zero(each.null_95)}{_lost([each])}"
            return text, b.Bar(each.v_corrected, full, each.null_95)
    return t.NO_VALUE, ""


def _over_seeds(each: AttributeStability) -> str:
    if not each.seeds:
        return t.NO_VALUE
    values = [variant.v_corrected for variant in each.seeds]
    limit = v.zero(max(variant.null_95 for variant in each.seeds))
    return f"{t.span(min(values), max(values))} / {limit}{_lost(each.seeds)}"


def _half(each: AttributeStability) -> str:
    if each.half_v is None:
        return t.NONE
    at_most = t.unreached(each.half_p, each.half_permutations)
    return f"{v.estimate(each.half_v, each.half_low, each.half_high)}, {t.p_phrase(each.half_p_holm, at_most=at_most)}"


@v.section("replay", "Would a small study have said the same?")
def replay(view: View) -> Iterator[b.Block]:
    """Return what small studies of this set would have said, what was published, and V~ with the clustering done again."""
    result = view.result
    if result.replay is not None:
        yield from _studies(view, result.replay)
    elif result.config.statistics.replay:
        why = "the set has too few images for a study (--replay-size makes it smaller)"
        yield b.Prose(f"No studies were drawn: {why}.", "detail")
    else:
        why = "none were asked for (--replay 200 draws them)"
        yield b.Prose(f"No studies were drawn: {why}.", "detail")
    if result.published:
        yield v.table_of(
            "What was published about this set",
            result.published,
            v.left("published", lambda x: t.clipped(x.source, 120), wrap=20),
            v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
            v.right("images", lambda x: t.whole(x.n)),
            v.right("k", lambda x: f"{x.k}"),
            v.right("V", lambda x: t.coefficient(x.v)),
            v.right("V~", lambda x: v.zero(x.v_corrected)),
            v.right("p", lambda x: t.p_text(x.p)),
            note="A study may have prepared its images otherwise, and its value is then no estimate of these: the origin study"
            " fed RGB / 255 to a network made for other numbers (resnet50-keras-paper does the same).",
        )
    if result.recluster:
        yield from _reclustered(view)


def _studies(view: View, found: Replay) -> Iterator[b.Block]:
    yield b.Prose(
        f"{t.counted(found.studies, 'random sample')} of {t.counted(found.size, 'image')} of this set, each clustered and"
        " audited again: what would its authors have written?",
        tone="lead",
    )
    computed = [each for each in found.attributes if each.v_corrected is not None]
    if computed:
        yield _studies_table(computed, view.level)
        yield b.Charts(
            lambda: [
                histogram(each, found, view.result.published, k=view.k, level=view.level)
                for each in found.attributes
            ]
        )
        yield b.Prose(
            f"The grey ground holds the middle {view.level}of the studies. The solid line is the whole set; a dashed one"
            " is a published study of as many images and clusters.",
            "detail",
            "small",
        )
    yield from v.without_value(
        (v.spoken(x.attribute), x.not_computable)
        for x in found.attributes
        if x.v_corrected is None
    )
    least_sure = [
        _least_sure(x, view.level) for x in found.attributes if any(g.share > 0 for g in x.groups)
    ]
    if least_sure:
        yield b.Bullets(tuple(least_sure))


def _studies_table(computed: Sequence[ReplayAttribute], level: str) -> b.Table:
    ends = [end for x in computed for end in (x.v_corrected_high, x.v_corrected, x.v_full)]
    full = max(x for x in ends if x is not None)
    yes = {True: "yes", False: "no", None: t.NO_VALUE}

    def spread(x: ReplayAttribute) -> b.Cell:
        low, high = x.v_corrected_low, x.v_corrected_high
        drawn = low is not None and high is not None
        return (
            b.Interval(x.v_corrected or 0.0, low or 0.0, high or 0.0, full, x.v_full)
            if drawn
            else ""
        )

    def differ(x: ReplayAttribute) -> str:
        return f"{t.or_dash(x.called_different, t.percent)} ({yes[x.full_called_different]})"

    def mean(x: ReplayAttribute) -> str:
        return v.estimate(x.v_corrected, x.v_corrected_low, x.v_corrected_high)

    return v.table_of(
        "The studies and the whole set",
        computed,
        v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
        v.right("studies", lambda x: t.whole(x.studies), drop=2),
        v.right("V~ of the studies", mean, wrap=11),
        v.left("", spread, drop=1),
        v.right("whole set", lambda x: t.or_dash(x.v_full, v.zero), wrap=5),
        v.right("other largest", lambda x: t.or_dash(x.other_largest, t.percent), wrap=7),
        v.right("other under", lambda x: t.or_dash(x.other_under_represented, t.percent), wrap=6),
        v.right('p says "clusters differ"', differ, wrap=10),
        note=f"V~: the mean, and where {level}of the studies lie. Other largest, other under: studies that name"
        " another largest group, or other under-represented groups, than the whole set does. In brackets: whether"
        " p of the whole set says so.",
    )


def _least_sure(each: ReplayAttribute, level: str) -> str:
    """Return the group whose share a small study gets most wrong, for its size."""
    present = [group for group in each.groups if group.share > 0]
    worst = max(present, key=lambda group: (group.high - group.low) / group.share)
    return (
        f"{v.spoken(each.attribute)}: least sure is {t.clipped(worst.group, 28)}, {t.percent(worst.share)} of the set;"
        f" {level}of the studies say {t.percent_span(worst.low, worst.high)} %."
    )


def _reclustered(view: View) -> Iterator[b.Block]:
    """Return V~ with its interval, clusters fixed and clustered again in every resample."""
    found = view.result.recluster

    def fixed(attribute: str) -> str:
        association = view.association(attribute)
        return t.NO_VALUE if association is None else v.corrected(association)

    again = f"V~, clustered again ({view.level}interval)"
    yield b.Heading("How sure is it when the clusters are made again?")
    yield v.table_of(
        "V~ over resamples that were clustered again",
        found,
        v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
        v.right("resamples", lambda x: t.whole(x.resamples)),
        v.right(
            f"V~, clusters fixed ({view.level}interval)", lambda x: fixed(x.attribute), wrap=13
        ),
        v.right(again, lambda x: t.NONE if x.v_corrected is None else v.corrected(x), wrap=13),
        note="Clustered again in every bootstrap resample: the clusters are part of the uncertainty.",
    )
    yield from v.without_value(
        (v.spoken(each.attribute), each.not_computable)
        for each in found
        if each.v_corrected is None
    )
