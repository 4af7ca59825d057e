"""What the audit found, in sentences, and what no audit can say."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import Finding
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Climb,
    Heading,
    Prose,
    Section,
    Statement,
    Statements,
    Step,
    state_of,
)
from fer_audit.report.sections.values import claimed
from fer_audit.report.view import View
from fer_audit.text import counted, listed

N_TOP = 6
"""Findings that come before all others."""

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

_ABOUT_ALL_CLAIMS = (
    *("clusters_follow", "seeds_disagree"),
    *("unstable_clusters", "batch_knows_labels"),
)
_ABOUT_ONE_CLAIM = (
    *("claim", "nothing_beyond_chance", "small_studies", "reclustered", "style_alone"),
    *("latent_overlap", "photographed_differently"),
)
"""Findings about clusters and people; one about who is in the set rests on no ladder."""


def findings(view: View) -> Section:
    """Return the findings in the order of the audit, each with the ladders it rests on."""
    result = view.result
    top, rest = split_findings(result.findings)
    blocks: list[Block] = [Prose("The audit has no findings.", "summary", "lead")]
    if top:
        blocks = [Statements(tuple(_statement(finding, view) for finding in top), "summary")]
    if rest:
        blocks += [
            Heading(counted(len(rest), "further finding")),
            Statements(tuple(_statement(finding, view) for finding in rest)),
        ]
    if result.ladders:
        blocks.append(
            Prose(
                "Each small ladder has one bar for each question that a claim must answer: "
                + listed([rung.name for rung in result.ladders[0].rungs])
                + ". Filled: it holds. Hatched: it does not. Dotted: it could not be asked. The number is the"
                " last one that held before one did not. A finding about who is in the set rests on no ladder.",
                "detail",
                "small",
            )
        )
    blocks += [Heading("What this audit cannot say"), Bullets(CANNOT_SAY)]
    if result.dataset.label_source:
        blocks.append(Prose(f"Who made the labels: {result.dataset.label_source}", tone="small"))
    return Section("findings", "What did the audit find?", tuple(blocks))


def split_findings(found: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the top findings and the rest, each in the order of the audit: the first finding and warnings go before others."""
    by_weight = sorted(
        range(len(found)),
        key=lambda index: (index > 0 and found[index].severity != "warning", index),
    )
    top = set(by_weight[:N_TOP])
    return (
        [finding for index, finding in enumerate(found) if index in top],
        [finding for index, finding in enumerate(found) if index not in top],
    )


def _statement(finding: Finding, view: View) -> Statement:
    climbs: tuple[Climb, ...] = ()
    if finding.code in _ABOUT_ALL_CLAIMS:
        climbs = tuple(climb_of(ladder) for ladder in view.result.ladders)
    elif finding.code in _ABOUT_ONE_CLAIM and finding.attribute is not None:
        ladder = view.ladder(finding.attribute)
        climbs = () if ladder is None else (climb_of(ladder),)
    return Statement(finding.severity, finding.text, climbs)


def climb_of(ladder: Ladder) -> Climb:
    """Return the small picture of a ladder."""
    attribute = claimed(ladder)
    steps = [Step(x.number, state_of(x.holds, skipped=x.skipped)) for x in ladder.rungs]
    answers = list(zip(ladder.rungs, steps, strict=True))
    held = [rung.name for rung, step in answers if step.state == "holds"]
    failed = [rung.name for rung, step in answers if step.state == "fails"]
    words = f"{attribute}: reaches question {ladder.highest} of {len(ladder.rungs)}"
    words += f"; holds: {', '.join(held) or 'none'}"
    words += f"; does not hold: {', '.join(failed)}" if failed else ""
    return Climb(attribute, ladder.highest, tuple(steps), words)
