"""The first thirty seconds: what the clusters separate and how much of it is left, what to fix, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from fer_audit.audit.types.claim import CLUSTER, SAYS, Claim, LeftAt, alike
from fer_audit.audit.types.not_computable import MIN_CELL
from fer_audit.audit.types.result import Finding
from fer_audit.report.blocks import (
    Block,
    Column,
    Gallery,
    Links,
    Prose,
    Section,
    Statement,
    Statements,
    Strength,
    Table,
)
from fer_audit.report.sections.cluster_cards import face_picture
from fer_audit.report.sections.cluster_names import cluster_name
from fer_audit.report.sections.values import spoken
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    at_least_one,
    clipped,
    coefficient,
    counted,
    listed,
    rounded_percent,
    sentence,
)

N_CLAIMS, N_FIXES = 5, 5
"""Rows of the short report; the sections behind it have all."""
SEPARABLE = 0.8
"""Lower end of an AUC from which two groups are said to be distinguished."""
NAME = 18
"""Characters of a name in it."""


def what_we_found(view: View) -> Section:
    """Return each claim in a row: how strong it is, and how much is left among images alike."""
    claims = [each for each in view.result.claims if each.v_corrected is not None]
    shown = sorted(
        (each for each in claims if each.strength in SAYS),
        key=lambda x: (x.of != CLUSTER, -(x.v_corrected or 0.0)),
    )
    chance = [
        spoken(each.attribute, NAME)
        for each in claims
        if each.strength not in SAYS and each.of == CLUSTER
    ]
    withheld = (x.text for x in view.result.findings if x.code == MIN_CELL)
    blocks: list[Block] = [Prose(text, "summary") for text in withheld]
    if shown:
        level = _level(shown)
        predicted = () if view.result.models is None else view.result.models.names
        title = f"left {alike(level)}" if level else "left"
        blocks.append(
            Table(
                "Claims",
                (
                    Column("", wrap=44),
                    Column("strength", right=True),
                    Column(clipped(title, 44), right=True, wrap=20),
                ),
                tuple(_row(each, level, predicted) for each in shown[:N_CLAIMS]),
                "summary",
            )
        )
        if len(shown) > N_CLAIMS:
            blocks.append(
                Prose(
                    f"... and {counted(len(shown) - N_CLAIMS, 'more claim')}: --section claims",
                    "summary",
                )
            )
        limits = [each.chance for each in shown if each.chance is not None]
        stays = f"; chance stays under {at_least_one(max(limits))}" if limits else ""
        judged = " Left: the share, and how it is judged by what can still vary." if level else ""
        real = (
            "It is more than chance, which does not make it large."
            if len(shown) == 1
            else "All are more than chance, which does not make them large."
        )
        blocks.append(
            Prose(
                f"Strength 0 to 1 (Cramér's V, corrected){stays}. {real}{judged}",
                "summary",
                "small",
            )
        )
    if chance:
        more = len(chance) - N_CLAIMS
        names = [*chance[:N_CLAIMS], *([f"{more} more"] if more > 0 else [])]
        blocks.append(
            Prose(
                f"No association with the clusters is shown for {listed(names, 'or')}.", "summary"
            )
        )
    blocks += _separable(view)
    if not claims:
        why = "there are no clusters, or no labels to hold against them"
        said = (
            "Claims are withheld."
            if view.result.min_cell
            else f"No claim could be computed: {why}."
        )
        blocks.append(Prose(said, "summary"))
    return Section("found", "What we found", (*blocks, *_faces(view), *_files(view)))


def _separable(view: View) -> list[Block]:
    """Return which groups the vectors distinguish, whatever the clusters: a few clusters can hide a group."""
    told = []
    for overlap in view.result.latent:
        pairs = [each for each in overlap.pairs if each.auc is not None and each.low is not None]
        best = max(pairs, key=lambda each: each.low or 0.0, default=None)
        if best is not None and (best.low or 0.0) >= SEPARABLE:
            names = f"{clipped(best.first, NAME)} from {clipped(best.second, NAME)}"
            told.append(f"{names} ({coefficient(best.auc, 2)})")
    if not told:
        return []
    return [
        Prose(
            f"Few clusters can hide a group: in the vectors themselves a linear classifier distinguishes"
            f" {listed(told[:3])}; .5 is guessing.",
            "summary",
        )
    ]


def _faces(view: View) -> list[Block]:
    """Return the mean face of each cluster with its name."""
    faces = () if view.pictures is None else view.pictures.faces
    shown = [
        replace(
            face_picture(face),
            caption=f"{face.cluster}: {cluster_name(view, face.cluster) or 'nobody in particular'}",
        )
        for face in faces
        if face.group is None
    ]
    return [Gallery("The clusters as mean faces", tuple(shown))] if shown else []


def _files(view: View) -> list[Block]:
    """Return what can be saved from the run directory: the lists that findings name, and the result."""
    if view.result.min_cell:
        return []
    lists = dict.fromkeys(each.files for each in view.result.findings if each.files)
    names = [*lists, "result.json", "rows.parquet"]
    return [Links(tuple((name, name) for name in names))]


def _level(claims: Sequence[Claim]) -> str:
    """Return the level that the claims are summed up by: how images were collected where that is known, else style."""
    levels = [left.level for claim in claims for left in claim.left if left.headline]
    collected = [each for each in levels if each not in ("others", "style")]
    return next(iter(collected), "style" if "style" in levels else next(iter(levels), ""))


def _row(claim: Claim, level: str, predicted: Collection[str]) -> tuple[str, Strength, str]:
    name = spoken(claim.attribute, NAME)
    says = SAYS[claim.strength]
    text = f"Clusters separate faces {says} by {name}"
    if claim.of != CLUSTER:
        text = f"{sentence(spoken(claim.of, NAME))} and {name} are {says} associated in the labels"
    if claim.of in predicted:
        text = f"What {spoken(claim.of, NAME)} predicts and {name} are {says} associated"
    left = next((each for each in claim.left if each.level == level), None)
    if left is not None and left.inseparable:
        text += f"; entangled with {spoken(level, NAME)}"
    if claim.comes_back == "no":
        text += "; does not come back"
    unknown = left is None or left.kept is None or left.grade == "cannot tell"
    held = None if unknown or left is None else min(max(left.kept or 0.0, 0.0), 1.0)
    return (
        text,
        Strength(claim.v_corrected or 0.0, held, coefficient(claim.v_corrected, 2)),
        _left_words(left),
    )


def _left_words(left: LeftAt | None) -> str:
    if left is None:
        return NO_VALUE
    if left.kept is None or left.grade == "cannot tell":
        return "cannot tell"
    if left.kept < 0.0005:
        amount = "none"
    elif left.kept > 1:
        amount = "all" if left.kept < 1.05 else f"{coefficient(left.kept, 2)} times"
    else:
        amount = rounded_percent(left.kept)
    return f"{amount}, {left.grade}"


def fix_first(view: View) -> Section:
    """Return what is wrong with the data, each with the list that names the files."""
    found = [each for each in view.result.findings if each.severity == "fix"]
    if not found:
        return Section(
            "fix",
            "Fix before use",
            (Prose("Nothing was found that has to be mended first.", "summary"),),
        )
    blocks: list[Block] = [
        Statements(tuple(statement(each) for each in found[:N_FIXES]), "summary")
    ]
    if len(found) > N_FIXES:
        blocks += [
            Statements(
                tuple(statement(each) for each in found[N_FIXES:]),
                cut=counted(len(found) - N_FIXES, "more thing"),
            ),
        ]
    return Section("fix", "Fix before use", tuple(blocks))


_SHOWN = {
    **dict.fromkeys(
        ("clusters_follow", "claim", "label_claim", "nothing_beyond_chance"), "claims"
    ),
    **dict.fromkeys(
        ("clusters_follow_batch", "clusters_follow_split", "people_or_labels"), "claims"
    ),
    **dict.fromkeys(("conflicting_copies", "duplicates"), "copies"),
    **dict.fromkeys(("near_duplicates", "near_duplicates_disagree"), "copies"),
    **dict.fromkeys(("split_leak", "near_split_leak", "subjects_in_parts"), "parts"),
    **dict.fromkeys(("failed_images", "unreadable_labels"), "files"),
    **dict.fromkeys(("photographed_differently", "style_alone"), "style"),
    **dict.fromkeys(("seeds_disagree", "unstable_clusters", "reclustered"), "stability"),
    **dict.fromkeys(("model_fails", "model_alike", "predicted_more"), "models"),
    **dict.fromkeys(("in_sample", "expressions"), "models"),
    **dict.fromkeys(("under_represented", "age_heaping"), "who"),
    "batch_knows_labels": "collection",
    "thin_intersections": "intersections",
    "latent_overlap": "overlap",
    "small_studies": "replay",
    "unfair_draw": "subset",
    "planted_missed": "planted",
    "gate_crossed": "gate",
}
"""Code of a finding -> the section that shows it."""


def statement(finding: Finding) -> Statement:
    """Return a finding as it is shown."""
    return Statement(
        finding.severity,
        finding.text,
        finding.figures,
        finding.do,
        finding.files,
        _SHOWN.get(finding.code, ""),
    )
