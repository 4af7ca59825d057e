"""explain: one claim's evidence."""

from __future__ import annotations

from pathlib import Path

import click

from fer_audit.cli.output import answer_json
from fer_audit.cli.param_types import FinishedRun
from fer_audit.cli.sharing import refuse_to_share


@click.command("explain", short_help="Show one claim's evidence.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.argument("claim", metavar="CLAIM")
@click.option("--json", "as_json", is_flag=True, help="Print the claim's record.")
@click.pass_context
def explain_command(ctx: click.Context, /, run: Path, claim: str, as_json: bool) -> None:
    """Show what the run directory RUN says of CLAIM and why: an attribute, or one question of it.

    Questions: chance, others, style, collection, stability. A claim about two labels is written expression:race.

    \b
    Examples:
      fer-audit explain runs/utkface race
      fer-audit explain runs/utkface race.collection
      fer-audit explain runs/ckplus expression:gender
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show
    from fer_audit.report.blocks import Report
    from fer_audit.report.files.document import read_result
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.report.sections.claims import explain
    from fer_audit.report.view import View

    refuse_to_share(ctx)
    view = View(read_result(run / "result.json"))
    sections = explain(view, claim)
    if as_json:
        import json

        from fer_audit.audit.types.claim import Claim
        from fer_audit.report.files.codec import encode
        from fer_audit.report.sections.claims import claim_name

        name = claim if claim in map(claim_name, view.result.claims) else claim.rpartition(".")[0]
        found = next(x for x in view.result.claims if claim_name(x) == name)
        answer_json(json.dumps(encode(found, Claim), ensure_ascii=False, indent=2) + "\n")
        return
    heading = view.result.dataset.name
    show(terminal_report(Report(heading, heading, (), "", tuple(sections), "")))
