"""What limits the claims, what is fine, and what no audit can say."""

from __future__ import annotations

from fer_audit.report.blocks import (
    Block,
    Bullets,
    Heading,
    Section,
    Statements,
)
from fer_audit.report.sections.found import statement
from fer_audit.report.view import View

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


def findings(view: View) -> Section:
    """Return what limits the claims, what is fine, and what no audit can say; what to mend has a section of its own."""
    result = view.result
    know = [each for each in result.findings if each.severity == "know"]
    fine = [each for each in result.findings if each.severity == "fine"]
    blocks: list[Block] = []
    if know:
        blocks.append(Statements(tuple(map(statement, know))))
    if fine:
        blocks += [Heading("What is fine"), Statements(tuple(map(statement, fine)))]
    blocks += [Heading("What this audit cannot say"), Bullets(CANNOT_SAY)]
    return Section("findings", "What should be known?", tuple(blocks))
