"""Would another seed or another k say the same? Seeds, each cluster in resamples, the sweep over k, the held-out half."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.stability import (
    AttributeStability,
    ClusterStability,
    StabilityFacts,
    VariantV,
)
from fer_audit.report.blocks import (
    Bar,
    Block,
    Cell,
    Charts,
    Column,
    Prose,
    Section,
    Sign,
    Table,
    state_of,
)
from fer_audit.report.charts.stability import come_back, sweep
from fer_audit.report.sections.values import (
    estimate,
    left,
    right,
    spoken,
    table_of,
    without_empty_columns,
    zero,
)
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    NONE,
    because,
    coefficient,
    counted,
    p_phrase,
    span,
    unreached,
    whole,
)


def stability(view: View) -> Section | None:
    """Return how much of the partition is the data's, and how much the seed's or k's; nothing if not measured."""
    facts = view.result.stability
    if facts is None:
        return None
    blocks: list[Block] = [Prose(_seeds(facts))]
    if facts.clusters:
        blocks += [_clusters(view, facts), Charts(lambda: [come_back(facts, view.palette)])]
    swept = [each for each in facts.attributes if each.ks or each.seeds or each.half_v is not None]
    if swept:
        clustering = view.result.clustering
        blocks += [
            _sweep(swept, None if clustering is None else clustering.k, view.level),
            Charts(lambda: [sweep(each) for each in facts.attributes]),
        ]
    if any(each.seeds for each in swept):
        blocks.append(_each_seed(swept))
    return Section("stability", "Would another seed or another k say the same?", tuple(blocks))


def _seeds(facts: StabilityFacts) -> str:
    if facts.ari_median is None:
        return f"Other seeds: {because(facts.not_computable)}."
    return (
        f"{counted(facts.seeds, 'other seed')}: two partitions agree with ARI {coefficient(facts.ari_median)} (median;"
        f" {span(facts.ari_min, facts.ari_max)}), where 1 is the same and 0 no more than chance."
    )


def _clusters(view: View, facts: StabilityFacts) -> Table:
    clustering = view.result.clustering
    sizes = () if clustering is None else clustering.sizes
    return table_of(
        "Does each cluster come back?",
        facts.clusters,
        right("cluster", lambda x: f"{x.cluster}"),
        right("images", lambda x: whole(sizes[x.cluster]) if x.cluster < len(sizes) else ""),
        left("", lambda x: Bar(x.jaccard, 1.0), drop=1),
        right("Jaccard", lambda x: coefficient(x.jaccard)),
        left("comes back in resamples", _comes_back, wrap=12),
        faint=lambda x: not x.stable,
    )


def _comes_back(each: ClusterStability) -> Sign:
    return Sign(
        state_of(each.stable), "stable" if each.stable else "unstable: nothing rests on it"
    )


def _sweep(swept: Sequence[AttributeStability], k: int | None, level: str) -> Table:
    """Return one row for each k, two columns for each attribute."""
    full = max(
        (value for each in swept for v in each.ks for value in (v.v_corrected, v.null_95)),
        default=1.0,
    )
    columns = [Column("k", wrap=8)]
    for each in swept:
        columns += [Column(spoken(each.attribute, 20), wrap=12), Column("", drop=1)]
    rows: list[tuple[Cell, ...]] = []
    for number in sorted({v.k for each in swept for v in each.ks}):
        cells: list[Cell] = []
        for each in swept:
            cells += _at(each.ks, number, full)
        rows.append((f"{number} ◀ used" if number == k else f"{number}", *cells))
    if any(each.seeds for each in swept):
        rows.append(("other seeds", *(cell for x in swept for cell in (_over_seeds(x), ""))))
    rows.append(("held-out half", *(cell for x in swept for cell in (_half(x), ""))))
    note = (
        "V~ / what 95 % of shuffled labels stay under; ✗ where V~ is not above it. Compare V~ across k only with that limit:"
        " more clusters find more by chance. Held-out half: clusters made from one half of the images, each image of the other"
        f" half assigned to the nearest centre; V~ with its {level}interval and Holm p."
    )
    table = Table("Each attribute in other partitions", tuple(columns), tuple(rows), note=note)
    return without_empty_columns(table)


def _at(variants: Sequence[VariantV], k: int, full: float) -> tuple[Cell, Cell]:
    variant = next((each for each in variants if each.k == k), None)
    if variant is None:
        return NO_VALUE, ""
    lost = variant.v_corrected <= variant.null_95
    text = f"{zero(variant.v_corrected)} / {zero(variant.null_95)}{' ✗' if lost else ''}"
    return text, Bar(variant.v_corrected, full, variant.null_95)


def _over_seeds(each: AttributeStability) -> str:
    if not each.seeds:
        return NO_VALUE
    values = [variant.v_corrected for variant in each.seeds]
    lost = any(variant.v_corrected <= variant.null_95 for variant in each.seeds)
    limit = zero(max(variant.null_95 for variant in each.seeds))
    return f"{span(min(values), max(values))} / {limit}{' ✗' if lost else ''}"


def _half(each: AttributeStability) -> str:
    if each.half_v is None:
        return NONE
    at_most = unreached(each.half_p, each.half_permutations)
    return f"{estimate(each.half_v, each.half_low, each.half_high)}, {p_phrase(each.half_p_holm, at_most=at_most)}"


def _each_seed(swept: Sequence[AttributeStability]) -> Table:
    seeds = [(each.attribute, variant) for each in swept for variant in each.seeds]
    return table_of(
        "Each other seed",
        seeds,
        left("attribute", lambda x: spoken(x[0]), wrap=9),
        right("k", lambda x: f"{x[1].k}"),
        right("seed", lambda x: f"{x[1].seed}"),
        right("V~", lambda x: zero(x[1].v_corrected)),
        right("95 % of chance", lambda x: zero(x[1].null_95)),
        importance="detail",
    )
