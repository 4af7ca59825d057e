"""Does it come back? Other seeds, each cluster in resamples, the sweep over k, the held-out half."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import AttributeStability, ClusterFacts, StabilityFacts, VariantV
from fer_audit.report.bars import TARGET, bar
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, plain, prose
from fer_audit.text import because, clipped, coefficient, counted, p_phrase, span, whole

NO_VALUE = "–"
_JACCARD_CELLS = 20
_BARS = (14, 8)
"""Characters of a bar in the sweep, on a wide and on a narrow terminal."""


def stability(
    facts: StabilityFacts | None, clustering: ClusterFacts | None, confidence: str
) -> list[RenderableType]:
    """Return how much of the partition is the data's, and how much the seed's or k's; nothing if not measured."""
    if facts is None:
        return []
    parts: list[RenderableType] = [Heading("Would another seed or another k say the same?")]
    parts.append(prose(_seeds(facts)))
    if facts.clusters:
        parts += [Text(""), _clusters(facts, clustering)]
    swept = [each for each in facts.attributes if each.ks or each.seeds or each.half_v is not None]
    if not swept:
        return parts
    k = None if clustering is None else clustering.k
    return [
        *parts,
        Text(""),
        prose(
            "V~ of each attribute in other partitions / what 95 % of shuffled labels stay under"
            f" (the {TARGET} in a bar). A V~ that is not above it is marked ✗."
        ),
        Text(""),
        FirstThatFits([*(_sweep(swept, k, cells) for cells in _BARS), _listed(swept, k)]),
        Text(""),
        prose(
            "Held-out half: clusters made from one half of the images, the other half put to the nearest centre;"
            f" V~ with its {confidence}interval and Holm p."
        ),
    ]


def _seeds(facts: StabilityFacts) -> str:
    if facts.ari_median is None:
        return f"Other seeds: {because(facts.not_computable)}."
    return (
        f"{counted(facts.seeds, 'other seed')}: two partitions agree with ARI {coefficient(facts.ari_median)}"
        f" (median; {span(facts.ari_min, facts.ari_max)}), where 1 is the same and 0 no more than chance."
    )


def _clusters(facts: StabilityFacts, clustering: ClusterFacts | None) -> Grid:
    columns = [
        Column(Text("cluster"), right=True),
        Column(Text("images"), right=True),
        Column(Text("comes back in resamples (Jaccard)"), squeeze=_JACCARD_CELLS),
        Column(Text("")),
    ]
    rows = []
    for each in facts.clusters:
        known = clustering is not None and each.cluster < len(clustering.sizes)
        size = whole(clustering.sizes[each.cluster]) if clustering is not None and known else ""
        style = "" if each.stable else "dim"
        line = bar(each.jaccard, full=1.0, cells=_JACCARD_CELLS - 6)
        verdict = "stable" if each.stable else "unstable: nothing rests on it"
        rows.append(
            [
                Text(f"{each.cluster}", style),
                Text(size, style),
                Text.assemble(line, " ", (coefficient(each.jaccard), style)),
                Text(verdict, style),
            ]
        )
    return Grid(columns, rows)


def _sweep(attributes: Sequence[AttributeStability], k: int | None, cells: int) -> Grid:
    """Return one row for each k, one column for each attribute: a chart lying on its side."""
    columns = [Column(Text("k"))]
    columns += [Column(plain(clipped(each.attribute, cells + 14), "bold")) for each in attributes]
    full = max(
        (value for a in attributes for v in a.ks for value in (v.v_corrected, v.null_95)),
        default=1.0,
    )
    rows = [
        [_k(number, k), *(_cell(_at(each.ks, number), full, cells) for each in attributes)]
        for number in sorted({v.k for each in attributes for v in each.ks})
    ]
    return Grid(columns, [*rows, *_summaries(attributes)])


def _listed(attributes: Sequence[AttributeStability], k: int | None) -> Grid:
    """Return the same with one row for each attribute and k: for many attributes, or little room."""
    columns = [Column(Text("attribute"), squeeze=9), Column(Text("k")), Column(Text("V~"))]
    rows = []
    for each in attributes:
        name = plain(clipped(each.attribute, 28), "bold")
        rows += [[name, _k(v.k, k), _number(v)] for v in each.ks]
        rows += [[name, row[0], row[1]] for row in _summaries([each])]
    return Grid(columns, rows)


def _k(number: int, used: int | None) -> Text:
    return Text(f"{number} ◀ used", "bold") if number == used else Text(f"{number}")


def _at(variants: Sequence[VariantV], k: int) -> VariantV | None:
    return next((each for each in variants if each.k == k), None)


def _cell(variant: VariantV | None, full: float, cells: int) -> Text:
    if variant is None:
        return Text(NO_VALUE)
    line = bar(variant.v_corrected, full=full, cells=cells, target=variant.null_95)
    return Text.assemble(line, " ", _number(variant))


def _number(variant: VariantV) -> Text:
    """Return V~ / its null, marked where it is not above."""
    text = Text(f"{_zero(variant.v_corrected)} / {_zero(variant.null_95)}")
    if variant.v_corrected <= variant.null_95:
        text.append(" ✗", "bold red")
    return text


def _summaries(attributes: Sequence[AttributeStability]) -> list[list[Text]]:
    rows = [
        [Text("other\nseeds"), *(_over_seeds(each) for each in attributes)],
        [Text("held-out\nhalf"), *(_half(each) for each in attributes)],
    ]
    return rows if any(each.seeds for each in attributes) else rows[1:]


def _over_seeds(each: AttributeStability) -> Text:
    if not each.seeds:
        return Text(NO_VALUE)
    values = [variant.v_corrected for variant in each.seeds]
    lost = any(variant.v_corrected <= variant.null_95 for variant in each.seeds)
    null = max(variant.null_95 for variant in each.seeds)
    text = Text(f"{span(min(values), max(values))}\n/ {_zero(null)}")
    return text.append(" ✗", "bold red") if lost else text


def _half(each: AttributeStability) -> Text:
    if each.half_v is None:
        return Text("not computable")
    text = Text(f"{_zero(each.half_v)} ({span(each.half_low, each.half_high)})")
    return text.append(f"\n{p_phrase(each.half_p_holm)}")


def _zero(value: float) -> str:
    return ".000" if 0 <= value < 0.0005 else coefficient(value)
