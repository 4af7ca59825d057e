"""balance: a subset in which every cluster has the shares asked for, or what to collect for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli.output import answer, answer_json, folder_name
from fer_audit.cli.param_types import PATH, FinishedRun
from fer_audit.cli.sharing import refuse_to_share
from fer_audit.errors import ConfigError

if TYPE_CHECKING:
    from fer_audit.pipeline.balance import Balance

MODES = ("remove", "add", "both")


@click.command("balance", short_help="Make a balanced subset, or a plan of what to collect.")
@click.argument("run", type=FinishedRun(), metavar="RUN")
@click.option("--attribute", default="race", show_default=True, help="What to balance.")
@click.option(
    "--by",
    default="cluster",
    show_default=True,
    help="Within what: cluster, a column, or none for the set as a whole.",
)
@click.option(
    "--target",
    default="uniform",
    show_default=True,
    metavar="uniform|set|reference|FILE",
    help="Shares wanted: equal ones, the set's own, the run's --reference, or a JSON of counts.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="How far a share may be from its target.",
)
@click.option("--mode", type=click.Choice(MODES), default="remove", show_default=True)
@click.option("--donor", type=FinishedRun(), metavar="RUN2", help="Fill gaps from another run.")
@click.option("--seed", default=0, show_default=True, help="Of the lot among images.")
@click.option(
    "--out", "folder", type=PATH, metavar="DIR", help="Where to write; default: in RUN/balance."
)
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json.")
@click.pass_context
def balance_command(
    ctx: click.Context,
    /,
    run: Path,
    target: str,
    donor: Path | None,
    folder: Path | None,
    dry_run: bool,
    as_json: bool,
    **asked: Any,  # noqa: ANN401 - the fields of a request
) -> None:
    """Balance the run directory RUN: which images to keep, what to add, and weights that do it without removing any.

    The fewest removals and additions win. What is kept is clustered again, and the report says what association is left.

    \b
    Examples:
      fer-audit balance runs/utkface --attribute race --by cluster
      fer-audit balance runs/utkface --attribute gender --mode both --tolerance 0.05
      fer-audit balance runs/utkface --mode add --donor runs/fairface
      fer-audit run path/to/UTKFace --only runs/utkface/balance/race-by-cluster-uniform-remove/keep.txt
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.pipeline.balance import balance_run
    from fer_audit.pipeline.balance_files import write_balance
    from fer_audit.pipeline.finished import read_run

    refuse_to_share(ctx)
    finished = read_run(run)
    given = None if donor is None else read_run(donor)
    attribute = finished.column(asked["attribute"]).name
    wanted, name = _target(target, attribute, finished.result.config.statistics.reference)
    made = balance_run(finished, target=wanted, donor=given, **asked)
    made.document["target_name"] = name
    folder = folder or run / "balance" / folder_name(
        [attribute, "by", made.document["by"], name, asked["mode"], *(["donor"] * bool(donor))]
    )
    if not dry_run:
        write_balance(folder, finished, made)
    if as_json:
        answer_json(json.dumps(made.document, indent=2, ensure_ascii=False) + "\n")
        return
    _show(made)
    if not dry_run:
        answer(f"-> {folder}")


def _target(
    asked: str, attribute: str, reference: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
) -> tuple[str | dict[str, int], str]:
    """Return the shares wanted, and a word for them."""
    from fer_audit.cli.settings import read_reference

    if asked in ("uniform", "set"):
        return asked, asked
    name = "reference" if asked == "reference" else Path(asked).stem
    counts = dict(reference if asked == "reference" else read_reference(Path(asked)))
    if attribute not in counts:
        raise ConfigError(
            f"--target {asked} has no counts of {attribute}",
            hint='Give uniform, set, or a JSON file such as {"race": {"White": 10078}}.',
        )
    return dict(counts[attribute]), name


def _show(made: Balance) -> None:
    import numpy as np

    from fer_audit.cli.console import show
    from fer_audit.report.blocks import Bullets, Report, Section, plain_table
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.text import coefficient, display, or_dash, percent, whole

    facts, tables = made.document, (made.before, made.before - made.removed + made.added)
    sums = [table.sum(axis=1).tolist() for table in tables]
    shares = [100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1) for table in tables]
    rows = [
        (stratum, f"{whole(old)} → {whole(new)}", *map("{:.0f} → {:.0f}".format, *share))
        for stratum, old, new, *share in zip(made.strata, *sums, *shares, strict=True)
    ]
    moments = ("before", "after_same_clusters", "after_reclustering")
    strengths = [
        (display(name), *(or_dash(each[moment], coefficient) for moment in moments))
        for name, each in facts["strength"].items()
    ]
    lost, weights = facts["images_lost"], facts["weights"]
    told = [
        f"{whole(lost)} of {whole(facts['images'])} images are left out ({percent(lost / max(facts['images'], 1))}); "
        f"{whole(facts['images_to_add'])} are to be added.",
        f"Weights instead, with every image kept: as good as {whole(round(weights['reweighing']['effective_n']))} images "
        f"(reweighing; groups' own shares), {whole(round(weights['raking']['effective_n']))} (raking; the target).",
    ]
    if facts["images_from_donor"]:
        told.append(f"The donor gives {whole(facts['images_from_donor'])} of them: donor.csv.")
    if facts["images_to_add"] > facts["images_from_donor"]:
        told.append(
            "The association left is that of what is there: nothing to be collected is in it."
        )
    if facts["images_altered"]:
        told.append(
            f"Altered copies could stand in for {whole(facts['images_altered'])}, "
            f"not for {whole(facts['images_no_copy_can_fill'])}. {facts['notes'][0]}"
        )
    if weights["reweighing"]["empty_cells"]:
        told.append("A group is missing from a cluster, and no weight makes up for it.")
    if facts["not_computable"]:
        told.append(
            f"What is left after clustering again is not known: {facts['not_computable']}."
        )
    heading = f"{display(facts['attribute'])} within {display(facts['by'])}"
    names = ("% before → after", "images", *made.groups)
    columns = ("strength", "before", "same clusters", "clustered again")
    blocks = (
        plain_table("Plan", names, rows, right=range(1, len(names))),
        plain_table("Association left", columns, strengths, right=(1, 2, 3)),
        Bullets(tuple(told)),
    )
    section = Section("balance", heading, blocks)
    show(terminal_report(Report(facts["dataset"], facts["dataset"], (), "", (section,), "")))
