"""The sections of a comparison of two runs: what changed, what was run, clusters, claims, people, settings."""

from __future__ import annotations

from fer_audit.audit.types.compare import (
    Comparison,
    RunFacts,
    TextDifference,
)
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Charts,
    Column,
    Facts,
    Heading,
    Prose,
    Section,
    Statement,
    Statements,
    Table,
    plain_table,
)
from fer_audit.report.charts.compare import cross_map
from fer_audit.report.two_runs import SIGNS, agreement_words, run_names, without_folders
from fer_audit.report.view import level_words
from fer_audit.text import NO_VALUE, clipped, counted, large, number, percent, whole

CANNOT_SAY = (
    "Which run is right. Two runs that agree can be wrong together, and a partition is not better for being the first.",
    "What made a number change, where more than one thing was set differently. Change one thing at a time.",
    "That two values are equal because their intervals overlap, or that they differ for a reason because they do not:"
    " both runs may hold the same images.",
    "Anything from the numbers of the clusters. Cluster 0 of one run is not cluster 0 of the other; the pairs that match"
    " are shown.",
    "Anything about people outside the two sets, or whether a model is fair.",
)
MAX_CLUSTERS = 24
"""A larger table is folded."""


def changed(comparison: Comparison) -> Section:
    """Return the findings, in the order of the comparison."""
    statements = tuple(Statement(each.severity, each.text) for each in comparison.findings)
    blocks: list[Block] = [Statements(statements, "summary")]
    blocks += [Heading("What a comparison cannot say", "detail"), Bullets(CANNOT_SAY, "detail")]
    return Section("changed", "What changed?", tuple(blocks))


def what_was_run(comparison: Comparison) -> Section:
    """Return what each run was, a fact a row, and which images both have."""
    first, second = _facts(comparison.first), _facts(comparison.second)
    heads = [
        f"{sign} {clipped(name, 60)}"
        for sign, name in zip(SIGNS, run_names(comparison), strict=True)
    ]
    images = comparison.images
    blocks: list[Block] = [
        plain_table(
            "Both runs",
            ("run", *heads, "same?"),
            [
                (name, one, two, "" if one == two else "differs")
                for (name, one), (_, two) in zip(first, second, strict=True)
            ],
            importance="summary",
        ),
        Prose("Inertia compares only between runs on the same vectors.", tone="small"),
        Heading("Which images are in both"),
        Facts(
            (
                ("listed by the first", whole(images.first)),
                ("listed by the second", whole(images.second)),
                ("in both", whole(images.common)),
                ("same name and bytes", whole(images.same)),
                ("same bytes, other name", whole(images.renamed)),
                ("same name, other bytes", whole(images.changed)),
            )
        ),
    ]
    for side, names in (("first", comparison.only_first), ("second", comparison.only_second)):
        if names:
            blocks += [
                Heading(f"Attributes that only the {side} run has"),
                Bullets(tuple(clipped(name, 200) for name in names)),
            ]
    return Section("runs", "The runs", tuple(blocks))


def _facts(run: RunFacts) -> tuple[tuple[str, str], ...]:
    model, vectors = run.model, run.vectors
    length = NO_VALUE
    if vectors is not None and vectors.norm_mean is not None:
        length = f"{number(vectors.norm_mean)} (sd {number(vectors.norm_sd)})"
    return (
        ("set", clipped(run.dataset, 80)),
        ("fingerprint of the set", f"{run.fingerprint[:16]}…"),
        ("images listed", whole(run.listed)),
        ("images ok", whole(run.ok)),
        ("images failed", whole(run.failed)),
        ("model", "none" if model is None else clipped(without_folders(model.name), 80)),
        ("model sha256", NO_VALUE if model is None else f"{model.sha256[:16]}…"),
        ("precision", NO_VALUE if model is None else clipped(model.precision, 20)),
        ("ran on", NO_VALUE if model is None else clipped(model.provider, 60)),
        ("numbers an image", NO_VALUE if model is None else whole(model.dim)),
        ("seed", NO_VALUE if run.seed is None else clipped(run.seed, 30)),
        ("clusters", "none" if run.k is None else whole(run.k)),
        ("inertia", NO_VALUE if run.inertia is None else large(run.inertia)),
        ("zero features", NO_VALUE if vectors is None else percent(vectors.zero_share)),
        ("length of a vector", length),
    )


def clusters_agree(comparison: Comparison) -> Section:
    """Return the agreement of the two partitions in words, as a picture and as counts."""
    found = comparison.agreement
    blocks: list[Block] = [Prose(agreement_words(found, level_words(comparison.confidence)))]
    if found.ari is not None:
        text = (
            "1 is the same partition, 0 no more alike than chance; the numbers of the clusters do not matter."
            f" p rests on {counted(found.permutations, 'drawn table')}, the interval on"
            f" {counted(found.bootstraps, 'resample')}."
        )
        blocks.append(Prose(text, tone="small"))
    blocks.append(Charts(lambda: [cross_map(found, run_names(comparison))]))
    if found.n:
        best = set(found.matches)
        size = len(found.table[0]) if found.table else 0
        rows = [
            (
                f"{row} ({whole(sum(counts))})",
                *(
                    f"{whole(count)}{' ◀' if (row, column) in best else ''}"
                    for column, count in enumerate(counts)
                ),
            )
            for row, counts in enumerate(found.table)
        ]
        note = (
            "◀ marks the clusters that match best, one to one:"
            f" {whole(found.matched)} of {counted(found.n, 'image')} are in such a pair."
        )
        blocks.append(
            Table(
                "Images in each pair of clusters",
                (
                    Column("first (images) \\ second"),
                    *(Column(str(column), right=True) for column in range(size)),
                ),
                tuple(rows),
                "detail" if max(size, len(rows)) > MAX_CLUSTERS else "normal",
                note=note,
            )
        )
    return Section("clusters", "Do the clusters agree?", tuple(blocks))


def settings_differ(comparison: Comparison) -> Section:
    """Return the facts of the model, the settings and the versions that are not the same."""
    parts = (
        ("Model", "fact", comparison.model),
        ("Settings", "setting", comparison.settings),
        ("Versions", "package", comparison.versions),
    )
    blocks: list[Block] = [
        plain_table(title, (name, "first", "second"), [_difference(each) for each in entries])
        for title, name, entries in parts
        if entries
    ]
    blocks = blocks or [Prose("Model, settings and versions are the same.")]
    return Section("settings", "What was set differently?", tuple(blocks))


def _difference(each: TextDifference) -> tuple[str, str, str]:
    return (clipped(each.name, 60), _setting(each.first), _setting(each.second))


def _setting(text: str | None) -> str:
    """Return a setting; one that is absent and one that is empty are not the same."""
    if text is None:
        return "not there"
    return clipped(without_folders(text), 200) if text else "empty"
