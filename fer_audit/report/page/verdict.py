"""The first thing a reader sees: the findings, how far each claim climbs, and what no audit can say."""

from __future__ import annotations

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import Finding, GateRule
from fer_audit.report.charts.chart import Sheet
from fer_audit.report.limits import CANNOT_SAY
from fer_audit.report.page.blocks import (
    Block,
    Bullets,
    Climb,
    Heading,
    Prose,
    Section,
    Statement,
    Statements,
    Step,
    Table,
)
from fer_audit.report.page.context import Context
from fer_audit.report.verdict_section import split_findings
from fer_audit.text import WITHHELD, counted, listed

_ALL_CLAIMS = (
    "clusters_follow",
    "claims_reach",
    "seeds_disagree",
    "unstable_clusters",
    "batch_knows_labels",
)
_ONE_CLAIM = (
    *("claim_lost", "nothing_beyond_chance", "small_studies", "reclustered", "style_alone"),
    *("latent_overlap", "photographed_differently"),
)
"""Findings about clusters and people; one about who is in the set rests on no ladder."""


def verdict(context: Context) -> Section:
    """Return the findings in the order of the audit, each with the ladders it rests on."""
    result = context.result
    top, rest = split_findings(result.findings)
    blocks: list[Block] = []
    if not top:
        blocks.append(Prose("The audit has nothing to say.", "lead"))
    else:
        blocks.append(Statements(tuple(_statement(each, context) for each in top)))
    if context.result.ladders:
        blocks.append(
            Prose(
                "Each small ladder has one bar for each question that a claim must answer: "
                + listed([rung.name for rung in result.ladders[0].rungs])
                + ". Filled: it holds. Hatched: it does not. Dotted: it could not be asked. The number is the"
                " last one that held before one did not. A finding about who is in the set rests on no ladder.",
                "small",
            )
        )
    blocks += [Heading("What this audit cannot say"), Bullets(CANNOT_SAY)]
    if result.dataset.label_source:
        blocks.append(Prose(f"Who made the labels: {result.dataset.label_source}", "small"))
    if rest:
        blocks += [
            Heading("Further findings"),
            Statements(tuple(_statement(each, context) for each in rest)),
        ]
    blocks += _gate(context) + _planted(context)
    return Section("verdict", "Verdict", tuple(blocks))


def _statement(finding: Finding, context: Context) -> Statement:
    climbs: tuple[Climb, ...] = ()
    if finding.code in _ALL_CLAIMS:
        climbs = tuple(_climb(ladder) for ladder in context.result.ladders)
    elif finding.code in _ONE_CLAIM and finding.attribute is not None:
        ladder = context.ladder(finding.attribute)
        climbs = () if ladder is None else (_climb(ladder),)
    return Statement(finding.severity, finding.text, climbs)


def _climb(ladder: Ladder) -> Climb:
    steps = tuple(
        Step(
            rung.number,
            "skipped"
            if rung.skipped
            else {True: "holds", False: "fails", None: "unknown"}[rung.holds],
        )
        for rung in ladder.rungs
    )
    held = [rung.name for rung in ladder.rungs if rung.holds and not rung.skipped]
    failed = [rung.name for rung in ladder.rungs if rung.holds is False]
    words = f"{ladder.attribute}: rung {ladder.highest} of {len(ladder.rungs)}"
    words += f"; holds: {', '.join(held) or 'none'}"
    words += f"; does not hold: {', '.join(failed)}" if failed else ""
    return Climb(ladder.attribute, ladder.highest, steps, words)


def _gate(context: Context) -> list[Block]:
    rules = context.result.gate
    if not rules:
        return []
    crossed = sum(rule.crossed for rule in rules)
    rows = tuple(
        (
            rule.rule,
            _gate_verdict(rule),
            WITHHELD if rule.withheld else "" if rule.value is None else f"{rule.value:,.6g}",
            rule.reason,
        )
        for rule in rules
    )
    return [
        Heading("The gate"),
        Prose(f"{crossed:,} of {counted(len(rules), 'rule')} crossed."),
        Table("Rules", Sheet(("not acceptable", "verdict", "found", "because"), rows), open=True),
    ]


def _gate_verdict(rule: GateRule) -> str:
    """Return how a rule was judged; one that is kept by a withheld value was judged all the same."""
    if rule.value is None and not rule.withheld:
        return "no value"
    return "crossed" if rule.crossed else "kept"


def _planted(context: Context) -> list[Block]:
    checks = context.result.planted
    if not checks:
        return []
    rows = tuple(
        (check.claim, check.expected, check.found, "✓ yes" if check.agrees else "✗ no")
        for check in checks
    )
    return [
        Heading("Does the audit find what was planted?"),
        Prose("This set is drawn, not photographed: what is wrong with it is known."),
        Table("Planted", Sheet(("planted", "expected", "found", "agrees"), rows), open=True),
    ]
