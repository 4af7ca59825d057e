"""gate: rules on a finished run, for a person, a program or a GitHub workflow."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH, FinishedRun, option
from fer_audit.cli.sharing import min_cell_option, shared
from fer_audit.errors import ConfigError, StoreError
from fer_audit.text import counted, six_figures, visible

if TYPE_CHECKING:
    from fer_audit.audit.types.result import GateRule

SCHEMA = "fer-audit/gate/1"
RULE_CROSSED = 1
SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable by which a workflow names the file of its summary."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule came to, as it may be shown."""

    rule: str
    verdict: Literal["crossed", "kept", "not judged", "withheld"]
    value: float | None
    """What the rule looked at; None when there is none, or it is withheld."""
    why: str

    def line(self) -> str:
        """Return it as a line of its own."""
        return f"{self.verdict}: {self.rule} ({self.why})"


def verdicts(rules: Sequence[GateRule], shown: Sequence[GateRule]) -> list[Verdict]:
    """Return what each rule came to; a verdict that would reveal a small count is withheld, as its rule is in `shown`."""
    values = {each.rule: each.value for each in shown}
    found = []
    for each in rules:
        value = values.get(each.rule)
        verdict: Literal["crossed", "kept", "not judged", "withheld"]
        verdict = "crossed" if each.crossed else "kept"
        why = "its value is withheld" if value is None else f"it is {six_figures(value)}"
        if each.rule not in values:
            verdict, why = "withheld", "its verdict could reveal a small count"
        elif each.value is None:
            verdict, why = "not judged", each.reason
        found.append(Verdict(each.rule, verdict, value, why))
    return found


@click.command("gate", short_help="Judge a finished run by rules.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@option(
    "--rule fail_on RULE",
    "What is not acceptable, e.g. 'race.v_corrected>0.2'; repeatable.",
    old="--fail-on",
    multiple=True,
)
@option("--rules FILE", 'TOML file: rules = ["RULE", ...].', type=PATH)
@option(
    "--format form",
    "github: annotations of a workflow, and a table in its summary.",
    type=click.Choice(["text", "json", "github"]),
    default="text",
)
@min_cell_option
@click.pass_context
def gate_command(
    ctx: click.Context,
    /,
    run: Path,
    fail_on: tuple[str, ...],
    rules: Path | None,
    form: str,
    min_cell: int,
) -> None:
    """Judge the run directory RUN by rules, and change nothing in it.

    Exit codes: 0 no rule is crossed; 1 a rule is crossed; 2 a rule cannot be read; 3 RUN is no finished run.
    A rule without a value in this run is not judged, and said to be so.

    \b
    Examples:
      fer-audit gate runs/utkface --rule 'race.strength>0.3' --rule 'conflicts>0'
      fer-audit gate runs/utkface --rules gate.toml --format github
      fer-audit gate runs/utkface --rule 'crawl_hour.predicts.race>0.7' --format json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.audit.gate import check_rules, refuse_unknown_names
    from fer_audit.report.files.read_run import read_finished_result

    asked = (*fail_on, *([] if rules is None else read_rules(rules)))
    if not asked:
        raise ConfigError(
            "There is no rule to judge by",
            hint="Give --rule 'race.v_corrected>0.2', or --rules FILE.",
        )
    result = read_finished_result(run)
    refuse_unknown_names(asked, result)
    judged = result.having(gate=check_rules(asked, result))
    found = verdicts(judged.gate, shared(judged, min_cell).gate)
    crossed = sum(each.verdict == "crossed" for each in found)
    if form == "json":
        document = {"schema": SCHEMA, "crossed": crossed, "rules": [asdict(x) for x in found]}
        answer_json(json.dumps(document, indent=2) + "\n")
    else:
        for each in found:
            answer(github_line(each) if form == "github" else each.line())
    if form == "github" and os.environ.get(SUMMARY):
        path = Path(os.environ[SUMMARY])
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(summary(found, judged.dataset.name))
        except OSError as exc:
            raise StoreError(f"Cannot write the summary {path}: {exc.strerror or exc}") from exc
    # What is withheld counts, too: a rule that is crossed must stop what waits for it.
    ctx.exit(RULE_CROSSED if any(each.crossed for each in judged.gate) else 0)


def read_rules(path: Path) -> list[str]:
    """Return the rules of a TOML file, `rules = ["...", ...]`; ConfigError when it is none."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(f"Cannot read the rules in {path}: {exc}") from exc
    found = document.pop("rules", None)
    if document or not isinstance(found, list) or not all(isinstance(x, str) for x in found):
        raise ConfigError(
            f"{path} holds no list of rules",
            hint="It looks like rules = ['race.v_corrected>0.2', 'conflicts>0'], and has no other key.",
        )
    return found


def github_line(verdict: Verdict) -> str:
    """Return a workflow command: an error for a crossed rule, a warning for one that is not judged; a plain line for others.

    %, and what ends a line, are escaped as a runner reads them back; other control characters as in every message.
    """
    line = visible(verdict.line())
    command = {"crossed": "error", "not judged": "warning"}.get(verdict.verdict)
    return f"::{command} title=fer-audit gate::{line.replace('%', '%25')}" if command else line


def summary(found: Sequence[Verdict], name: str) -> str:
    """Return the markdown of a job summary: how many rules are crossed, and a table of all."""
    from fer_audit.report.render.markdown import heading, table

    crossed = sum(each.verdict == "crossed" for each in found)
    title = f"fer-audit gate, {name}: {crossed} of {counted(len(found), 'rule')} crossed"
    rows = [(each.verdict, each.rule, each.why) for each in found]
    lines = [*heading(2, title), *table(("verdict", "rule", "found"), rows, right=())]
    return "\n".join(lines) + "\n"
