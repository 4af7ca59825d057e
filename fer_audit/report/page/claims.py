"""Is it real, and is it about people? Every claim on its ladder, and what could lie behind it."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.space import LatentOverlap
from fer_audit.report.charts.chart import Chart, Sheet
from fer_audit.report.charts.claims import HOW_TO_READ, ladder
from fer_audit.report.charts.partition import sweep
from fer_audit.report.page.blocks import Block, Charts, Heading, Prose, Section, Table
from fer_audit.report.page.context import Context
from fer_audit.text import (
    because,
    coefficient,
    counted,
    measured,
    p_phrase,
    p_text,
    percent,
    span,
    whole,
)


def claim_charts(context: Context) -> list[Chart]:
    """Return the ladder of every claim."""
    facts = context.result.clustering
    found = [
        ladder(
            each,
            context.association(each.attribute),
            context.stability(each.attribute),
            None if facts is None else facts.k,
        )
        for each in context.result.ladders
    ]
    return [chart for chart in found if chart is not None]


def sweep_charts(context: Context) -> list[Chart]:
    """Return every claim over k and seeds."""
    found = [
        sweep(each) for name in context.people if (each := context.stability(name)) is not None
    ]
    return [chart for chart in found if chart is not None]


def claims(context: Context) -> Section:
    """Return the section."""
    result = context.result
    if not result.associations:
        text = "Nothing to compare: it takes clusters and at least one attribute."
        return Section("ladder", "The ladder", (Prose(text),))
    blocks: list[Block] = [
        Prose(
            "A claim is that clusters and an attribute go together. It climbs until a question does not hold: seen,"
            " corrected for bias, more than chance, more than the other attributes, more than image style, more than"
            " the crawl, stable, and found again in the half that was not clustered.",
            "lead",
        ),
        Table(
            "Association of every attribute with the clusters", _associations(context), open=True
        ),
        Prose(
            "V is 0 when clusters ignore the attribute and 1 when they sort by it; chance is the V of unrelated"
            f" labels (mean and 95 % limit). V~ is V without that bias, with its {context.level}interval: judge by it,"
            " not by p. Known: the share of the uncertainty about the attribute that is gone once one knows the"
            " cluster.",
            "small",
        ),
    ]
    ladders = tuple(claim_charts(context))
    if ladders:
        blocks += [Heading("Rung by rung"), Prose(HOW_TO_READ, "small"), Charts(ladders)]
    sweeps = tuple(sweep_charts(context))
    if sweeps:
        note = "Compare V~ across k only beside the grey band: more clusters find more by chance."
        if result.clustering is not None:
            note += f" This report uses k = {result.clustering.k}."
        blocks += [Heading("Another k, another seed"), Prose(note, "small"), Charts(sweeps)]
    blocks += _style(context) + _batches(context) + _latent(result.latent)
    return Section("ladder", "The ladder", tuple(blocks))


def _associations(context: Context) -> Sheet:
    rows = []
    for each in context.result.associations:
        name = each.attribute if each.kind == "demographic" else f"{each.attribute} ({each.kind})"
        if each.v is None:
            rows.append((name, whole(each.n), because(each.not_computable), *[""] * 6))
            continue
        found = context.ladder(each.attribute)
        rows.append(
            (
                name,
                whole(each.n),
                coefficient(each.v),
                _known_span(each.null_mean, each.null_95),
                f"{coefficient(each.v_corrected)} ({_known_span(each.low, each.high)})",
                p_text(each.p_permutation),
                "" if each.p_holm is None else p_text(each.p_holm),
                "" if each.u_corrected is None else percent(each.u_corrected),
                "" if found is None else f"{found.highest} of {len(found.rungs)}",
            )
        )
    columns = (
        "attribute",
        "images",
        "V",
        "chance",
        "V~ (interval)",
        "p",
        "Holm p",
        "known",
        "rung",
    )
    return Sheet(columns, tuple(rows))


def _known_span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else span(low, high)


def _style(context: Context) -> list[Block]:
    result = context.result
    kinds = {each.attribute: each.kind for each in result.representation}
    tests = [
        each
        for each in result.style_tests
        if each.rank_effect is not None and kinds.get(each.attribute) in ("demographic", "label")
    ]
    blocks: list[Block] = []
    if tests:
        tests.sort(key=lambda each: -(each.rank_effect or 0.0))
        rows = tuple(
            (
                each.measure.replace("_", " "),
                each.attribute,
                coefficient(each.rank_effect),
                p_text(each.p_adjusted),
                f"{each.lowest} ({measured(each.lowest_median)})" if each.lowest else "",
                f"{each.highest} ({measured(each.highest_median)})" if each.highest else "",
            )
            for each in tests
        )
        columns = ("measure", "attribute", "rank effect", "adjusted p", "lowest in (median)")
        blocks.append(
            Table(
                "Style measures against every attribute",
                Sheet((*columns, "highest in (median)"), rows),
            )
        )
    known = [each for each in result.style_baselines if each.v_corrected is not None]
    if known:
        baselines = tuple(
            (
                each.attribute,
                f"{coefficient(each.v_corrected)} ({_known_span(each.low, each.high)})",
                "" if each.embedding_v is None else coefficient(each.embedding_v),
                "" if each.reproduced is None else percent(each.reproduced),
                "" if each.p is None else p_text(each.p),
            )
            for each in known
        )
        heads = ("attribute", "V~ of style alone", "V~ of the clusters", "ratio", "p")
        blocks.append(
            Table(
                "Clusters made of ten image-wide measures alone",
                Sheet(heads, baselines),
                open=True,
            )
        )
        blocks.append(
            Prose(
                "Not necessarily the same association; brightness also measures skin. No ratio where one of the two is"
                " not above chance.",
                "small",
            )
        )
    return [Heading("Are groups photographed differently?"), *blocks] if blocks else []


def _batches(context: Context) -> list[Block]:
    known = [each for each in context.result.batch_predictions if each.accuracy is not None]
    if not known:
        return []
    rows = tuple(
        (
            each.attribute,
            each.batch,
            "" if each.v_corrected is None else coefficient(each.v_corrected),
            "" if each.left_out_accuracy is None else percent(each.left_out_accuracy),
            f"{percent(each.accuracy)} ({whole(each.right)})",
            f"{percent(each.majority)} {each.majority_group or ''}",
            percent(each.chance),
            p_text(each.p),
        )
        for each in known
    )
    columns = (
        "attribute",
        "from the batch",
        "V~",
        "right, from the others",
        "right, counted in",
        "largest group",
        "shuffled",
        "p",
    )
    return [
        Heading("Does the way images were collected give people away?"),
        Prose(
            "Knowing only an image's batch and naming the most frequent group there, how often is one right? From the"
            " others: the same guess, made from the other images of the batch only."
        ),
        Table("Guessing an attribute from the batch alone", Sheet(columns, rows), open=True),
    ]


def _latent(found: Sequence[LatentOverlap]) -> list[Block]:
    blocks: list[Block] = []
    for each in found:
        if each.homophily is None:
            blocks.append(Prose(f"{each.attribute}: {because(each.not_computable)}."))
            continue
        blocks.append(
            Prose(
                f"{each.attribute}: {percent(each.homophily)} of the {each.neighbours} nearest neighbours are of the"
                f" same group, {percent(each.expected)} if labels are shuffled, {p_phrase(each.p)}"
                f" ({whole(each.n)} of {counted(each.drawn_from, 'image')})."
            )
        )
        groups = tuple(
            (
                group.group,
                whole(group.n),
                "too few" if group.homophily is None else percent(group.homophily),
                "" if group.expected is None else percent(group.expected),
                "" if group.silhouette is None else coefficient(group.silhouette),
                "" if group.dispersion is None else measured(group.dispersion),
            )
            for group in each.groups
        )
        columns = ("group", "images", "same neighbours", "shuffled", "silhouette", "spread")
        blocks.append(
            Table(f"{each.attribute}: neighbours and silhouettes", Sheet(columns, groups))
        )
        pairs = tuple(
            (
                f"{pair.first} and {pair.second}",
                coefficient(pair.auc),
                "" if pair.p_adjusted is None else p_text(pair.p_adjusted),
                "" if pair.relative_distance is None else f"{pair.relative_distance:.2f}",
            )
            for pair in sorted(each.pairs, key=lambda pair: -(pair.auc or 0.0))
            if pair.auc is not None
        )
        if pairs:
            columns = ("groups", "AUC of a straight cut", "adjusted p", "distance of centres")  # type: ignore[assignment]  # another table
            blocks.append(Table(f"{each.attribute}: pairs of groups", Sheet(columns, pairs)))
    head = Heading("Do groups have places of their own, before any clustering?")
    return [head, *blocks] if blocks else []
