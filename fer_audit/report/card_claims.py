"""What a dataset card says of the clusters, as plain sentences, and how its numbers were computed."""

from __future__ import annotations

from collections.abc import Iterator

from fer_audit.audit.types.claims import Association, Conditional, Ladder
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import setting_texts
from fer_audit.report.card_words import SENTENCE, name_of
from fer_audit.text import clipped, coefficient, counted, percent, percent_span, span, whole


def computed_claims(result: AuditResult) -> Iterator[tuple[Association, Ladder | None]]:
    """Yield every association that has a value, with its ladder."""
    ladders = {ladder.attribute: ladder for ladder in result.ladders}
    for each in result.associations:
        if each.v_corrected is not None:
            yield each, ladders.get(each.attribute)


def strength(association: Association) -> str:
    """Return V~ with its interval: .213 (.193-.264)."""
    text = coefficient(association.v_corrected)
    if association.low is None or association.high is None:
        return text
    return f"{text} ({span(association.low, association.high)})"


def rung_reached(ladder: Ladder | None) -> str:
    """Return the last rung that held: "5 of 8, not image style"."""
    if ladder is None:
        return "not asked"
    name = next((rung.name for rung in ladder.rungs if rung.number == ladder.highest), "none")
    return f"{ladder.highest} of {len(ladder.rungs)}, {name_of(name)}"


def questions(ladder: Ladder | None) -> list[Conditional]:
    """Return of each rung the question that leaves least, and those of --given, in the order of the ladder."""
    asked = () if ladder is None else ladder.conditionals
    valued = [each for each in asked if each.kept is not None]
    by_rung: dict[int, list[Conditional]] = {}
    for each in valued:
        if each.rung is not None:
            by_rung.setdefault(each.rung, []).append(each)
    least = [min(by_rung[rung], key=_kept) for rung in sorted(by_rung)]
    return [*least, *(each for each in valued if each.rung is None)]


def kept_text(question: Conditional) -> str:
    """Return what is left with its interval: 56.9 % (52.2-62.1)."""
    if question.low is None or question.high is None:
        return percent(question.kept)
    return f"{percent(question.kept)} ({percent_span(question.low, question.high)})"


def given_text(question: Conditional) -> str:
    """Return the columns that were held fixed."""
    return " x ".join(name_of(each).replace("_", " ") for each in question.given)


def claim(association: Association, ladder: Ladder | None) -> str:
    """Return one claim in one sentence: how strong, how far it climbs, what is left of it."""
    left = [f"{kept_text(each)} given {given_text(each)}" for each in questions(ladder)]
    kept = f"; kept among alike images: {', '.join(left)}" if left else ""
    rung = "" if ladder is None else f", rung reached {rung_reached(ladder)}"
    return (
        f"Clusters of the vectors and {name_of(association.attribute)} ({association.kind};"
        f" {counted(association.n, 'image')}): V~ {strength(association)}{rung}{kept}."
    )


def _kept(question: Conditional) -> float:
    return question.kept if question.kept is not None else 0.0


def about_the_model(result: AuditResult) -> list[str]:
    """Return whose vectors were clustered, and what a reader has to know of them; nothing without clusters."""
    model = result.model
    if model is None:
        return ["No vectors were made: nothing is said about a latent space."]
    if result.clustering is None:
        return []
    text = f"What is said of clusters is said of the vectors of {name_of(model.name)}; another model can sort otherwise."
    caveat = clipped(model.caveat.strip(), SENTENCE)
    return [text, caveat] if caveat else [text]


def computation(result: AuditResult) -> list[tuple[str, str]]:
    """Return (what, value) of everything that the numbers depend on and a reader may want to repeat."""
    settings, versions = dict(setting_texts(result.config)), dict(result.versions)
    facts = [("fer-audit", versions.get("fer-audit", ""))]
    if result.model is not None:
        model = result.model
        facts += [
            (
                "model",
                f"{model.name}, {model.precision}, {model.dim:,} numbers an image, ran on {model.provider}",
            ),
            ("model file, sha256", model.sha256),
        ]
    if result.clustering is not None:
        chosen = " (chosen by --k auto)" if result.clustering.votes else ""
        facts.append(("k", f"{result.clustering.k}{chosen}"))
    for name in ("seed", "confidence", "alpha", "permutations", "bootstraps", "keep_duplicates"):
        facts.append((name.replace("_", " "), settings.get(name, "")))
    facts.append(
        ("images", f"{whole(result.dataset.listed)} listed, {whole(result.dataset.ok)} used")
    )
    facts.append(("set, fingerprint", result.dataset.fingerprint))
    return [(what, clipped(value, SENTENCE)) for what, value in facts if value]
