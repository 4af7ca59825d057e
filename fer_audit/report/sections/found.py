"""The first thirty seconds: what clusters separate and how much is left, what to mend, how sure that is, what to know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import fer_audit.text as t
from fer_audit.audit.types.claim import CLUSTER, SAYS, Claim, LeftAt, alike
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, MIN_CELL
from fer_audit.audit.types.result import Finding
from fer_audit.audit.types.stability import AGREE
from fer_audit.report import blocks as b
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.cluster_cards import cluster_title, face_picture
from fer_audit.report.sections.values import section, spoken
from fer_audit.report.view import View

N_CLAIMS, N_FIXES = 5, 5
"""Rows of the short report; the sections behind it have all."""
SEPARABLE = 0.8
"""Lower end of an AUC from which two groups are said to be distinguished."""
NAME = 18
"""Characters of a name in it."""
CANNOT_SAY = (
    "Who people are. Labels are perceived or estimated by somebody, not what people say of themselves.",
    "What causes what. That clusters follow a group is an association; something the set does not record can always lie"
    " behind it.",
    "Anything about people outside the set. A set of pictures is not a population, and its intervals say how sure its"
    " own numbers are, not how well it was drawn.",
    "Whether a model is fair. A latent space that sorts people makes unequal treatment possible; only a model's"
    " decisions can show it.",
)
"""What no audit can say."""


def _short(text: str) -> b.Prose:
    return b.Prose(text, "summary")


def _first(names: Sequence[str]) -> list[str]:
    """Return the first names, and how many more there are."""
    more = len(names) - N_CLAIMS
    return [*names[:N_CLAIMS], *([f"{more} more"] if more > 0 else [])]


@section("found", "What we found")
def what_we_found(view: View) -> Iterator[b.Block]:
    """Return each claim in a row: how strong it is, and how much is left among images alike."""
    claims = [each for each in view.result.claims if each.v_corrected is not None]
    yield from (_short(x.text) for x in view.result.findings if x.code == MIN_CELL)
    yield from _claims(view, [each for each in claims if each.strength in SAYS])
    chance = [x.attribute for x in claims if x.strength not in SAYS and x.of == CLUSTER]
    if chance:
        names = t.listed(_first([spoken(each, NAME) for each in chance]), "or")
        yield _short(f"No association with the clusters is shown for {names}.")
    told = []
    for overlap in view.result.latent:
        pairs = [each for each in overlap.pairs if each.auc is not None and each.low is not None]
        best = max(pairs, key=lambda each: each.low or 0.0, default=None)
        if best is not None and (best.low or 0.0) >= SEPARABLE:
            pair = f"{t.clipped(best.first, NAME)} from {t.clipped(best.second, NAME)}"
            told.append(f"{pair} ({t.coefficient(best.auc, 2)})")
    if told:
        yield _short(
            "Few clusters can hide a group: in the vectors themselves a linear classifier distinguishes"
            f" {t.listed(told[:3])}; .5 is guessing."
        )
    if not claims:
        why = "there are no clusters, or no labels to hold against them"
        withheld = view.result.min_cell
        yield _short("Claims are withheld." if withheld else f"No claim could be computed: {why}.")
    faces = tuple(
        replace(face_picture(x), caption=f"{x.cluster}: {cluster_title(view, x.cluster)}")
        for x in view.faces
        if x.group is None
    )
    if faces:
        yield b.Gallery("The clusters as mean faces", faces)
    if not view.result.min_cell:  # the lists that findings name, and the result
        lists = dict.fromkeys(each.files for each in view.result.findings if each.files)
        yield b.Links(tuple((name, name) for name in (*lists, "result.json", "rows.parquet")))
        commands = (
            "figures for a paper: fer-audit report RUN --pdf DIR; the methods in words: fer-audit report RUN --methods;"
            " a dataset card: fer-audit card RUN"
        )
        yield b.Prose(f"Made from the run directory RUN: {commands}.", "detail", "small")


def _claims(view: View, claims: list[Claim]) -> Iterator[b.Block]:
    if not claims:
        return
    claims.sort(key=lambda x: (x.of != CLUSTER, -(x.v_corrected or 0.0)))
    level = _level(claims)
    predicted = () if view.result.models is None else view.result.models.names
    title = t.clipped(f"left {alike(level)}" if level else "left", 44)
    numbers = (b.Column("strength", right=True), b.Column(title, right=True, wrap=20))
    rows = tuple(_row(each, level, predicted) for each in claims[:N_CLAIMS])
    yield b.Table("Claims", (b.Column("", wrap=44), *numbers), rows, "summary")
    if len(claims) > N_CLAIMS:
        more = t.counted(len(claims) - N_CLAIMS, "more claim")
        yield _short(f"... and {more}: --section claims")
    limits = [each.chance for each in claims if each.chance is not None]
    stays = f"; chance stays under {t.at_least_one(max(limits))}" if limits else ""
    judged = " Left: the share, and how it is judged by what can still vary." if level else ""
    real = "All are more than chance, which does not make them large."
    if len(claims) == 1:
        real = "It is more than chance, which does not make it large."
    text = f"Strength 0 to 1 (Cramér's V, corrected){stays}. {real}{judged}"
    yield b.Prose(text, "summary", "small")


def _level(claims: Sequence[Claim]) -> str:
    """Return the level that the claims are summed up by: how images were collected where that is known, else style."""
    levels = [left.level for claim in claims for left in claim.left if left.headline]
    collected = [each for each in levels if each not in ("others", "style")]
    return next(iter(collected), "style" if "style" in levels else next(iter(levels), ""))


def _row(claim: Claim, level: str, predicted: Collection[str]) -> tuple[str, b.Strength, str]:
    name, of, says = spoken(claim.attribute, NAME), spoken(claim.of, NAME), SAYS[claim.strength]
    text = f"Clusters separate faces {says} by {name}"
    if claim.of in predicted:
        text = f"What {of} predicts and {name} are {says} associated"
    elif claim.of != CLUSTER:
        text = f"{t.sentence(of)} and {name} are {says} associated in the labels"
    left = next((each for each in claim.left if each.level == level), None)
    if left is not None and left.inseparable:
        text += f"; entangled with {spoken(level, NAME)}"
    if claim.comes_back == "no":
        text += "; does not come back"
    known = left is not None and left.kept is not None and left.grade != "cannot tell"
    held = min(max(left.kept or 0.0, 0.0), 1.0) if known and left is not None else None
    strength = b.Strength(claim.v_corrected or 0.0, held, t.coefficient(claim.v_corrected, 2))
    return text, strength, left_words(left)


def left_words(left: LeftAt | None) -> str:
    """Write how much is left of a claim among images alike: 38 %, part."""
    if left is None:
        return t.NO_VALUE
    if left.kept is None or left.grade == "cannot tell":
        return "cannot tell"
    amount = "none" if left.kept < 0.0005 else t.rounded_percent(left.kept)
    if left.kept > 1:
        amount = "all" if left.kept < 1.05 else f"{t.coefficient(left.kept, 2)} times"
    return f"{amount}, {left.grade}"


@section("fix", "Fix before use")
def fix_first(view: View) -> Iterator[b.Block]:
    """Return what is wrong with the data, each with the list that names the files."""
    found = _statements(view, "fix")
    if not found:
        withheld = any(each.code == MIN_CELL for each in view.result.findings)
        yield _short(
            "What has to be mended first is withheld with the counts that show it."
            if withheld
            else "Nothing was found that has to be mended first."
        )
    else:
        yield b.Statements(found[:N_FIXES], "summary")
    if more := found[N_FIXES:]:
        yield b.Statements(more, cut=t.counted(len(more), "more thing"))


_SHOWN = {
    code: key
    for key, codes in {
        "claims": "clusters_follow claim label_claim nothing_beyond_chance clusters_follow_batch clusters_follow_split people_or_labels",
        "copies": "conflicting_copies duplicates near_duplicates near_duplicates_disagree",
        "parts": "split_leak near_split_leak subjects_in_parts",
        "files": "failed_images unreadable_labels",
        "style": "photographed_differently style_alone",
        "stability": "seeds_disagree unstable_clusters reclustered",
        "models": "model_fails model_alike predicted_more in_sample expressions",
        "who": "under_represented age_heaping",
        "collection": "batch_knows_labels",
        "intersections": "thin_intersections",
        "overlap": "latent_overlap",
        "replay": "small_studies",
        "subset": "unfair_draw",
        "planted": "planted_missed",
        "gate": "gate_crossed",
    }.items()
    for code in codes.split()
}
"""Code of a finding -> the section that shows it."""


def _statements(view: View, severity: str) -> tuple[b.Statement, ...]:
    found = [each for each in view.result.findings if each.severity == severity]
    return tuple(map(statement, found))


def statement(x: Finding) -> b.Statement:
    """Return a finding as it is shown."""
    return b.Statement(x.severity, x.text, x.figures, x.do, x.files, _SHOWN.get(x.code, ""))


@section("findings", "What should be known?")
def findings(view: View) -> Iterator[b.Block]:
    """Return what limits the claims, what is fine, and what no audit can say; what to mend has a section of its own."""
    if know := _statements(view, "know"):
        yield b.Statements(know)
    if fine := _statements(view, "fine"):
        yield from (b.Heading("What is fine"), b.Statements(fine))
    yield from (b.Heading("What this audit cannot say"), b.Bullets(CANNOT_SAY))


@section("sure", "How sure is this?")
def how_sure(view: View) -> Iterator[b.Block]:
    """Return whether other seeds agree, who chose k, who made the labels, and what another collection would draw."""
    result, stable, chosen = view.result, view.result.stability, view.result.clustering
    lines: list[str] = []
    if stable is not None and stable.ari_median is not None:
        agree = "agree" if stable.ari_median >= AGREE else "do not agree"
        least = stable.ari_min is not None and stable.ari_min < 0.9
        worst = f", least {t.coefficient(stable.ari_min)}" if least else ""
        lines.append(
            f"Other seeds {agree} (median ARI {t.coefficient(stable.ari_median)}{worst})."
        )
    if chosen is not None:
        how = "chosen from the data" if chosen.votes else "set, not chosen from the data"
        lines.append(f"k = {chosen.k} was {how}{_other_k(view)}.")
    if view.unstable:
        names = t.listed(_first([str(each) for each in sorted(view.unstable)]))
        lines.append(f"Clusters that do not come back in resamples: {names}.")
    if any(not each.drawn for each in result.claims):
        lines.append("How another collection would differ is not known.")
    reasons = (x for x in missing_values(result) if not x.reason.startswith(BECAUSE_WITHHELD))
    if missing := sum(len(each.fields) for each in reasons):
        values = t.counted(missing, "value")
        lines.append(f"{values} could not be computed; the section on method says why.")
    who = t.clipped(result.dataset.label_source, 150)
    yield from map(_short, filter(None, (" ".join(lines), who)))


def _other_k(view: View) -> str:
    """Return between which ends the strength of each claim lies with another k."""
    swept = () if view.result.stability is None else view.result.stability.attributes
    shown = {x.attribute for x in view.result.claims if x.of == CLUSTER and x.strength in SAYS}
    told = []
    for each in swept:
        values = [variant.v_corrected for variant in each.ks if variant.k > 1]
        if each.attribute in shown and len(values) > 1:
            ends = t.span(min(values), max(values), digits=2)
            told.append(f"{spoken(each.attribute, NAME)} {ends}")
    ks = sorted({variant.k for each in swept for variant in each.ks if variant.k > 1})
    return f"; with k = {ks[0]} to {ks[-1]}: {', '.join(told[:3])}" if told else ""
