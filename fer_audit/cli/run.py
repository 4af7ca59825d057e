"""run, and its first stages on their own: embed, cluster, audit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli.options import (
    audit_config,
    cluster_options,
    dataset_options,
    model_options,
    place_options,
    report_options,
    resources,
    shown,
    statistics_options,
)

if TYPE_CHECKING:
    from fer_audit.config import AuditConfig
    from fer_audit.pipeline.run import Run, Until

RULE_CROSSED = 1
TOO_MANY_FAILED = 4

dataset_argument = click.argument(
    "dataset", required=False, type=click.Path(path_type=Path), metavar="[DATASET]"
)


@click.command("run", short_help="Audit a dataset.")
@dataset_argument
@dataset_options
@model_options
@cluster_options
@statistics_options
@report_options
@place_options
@click.option("--csv", is_flag=True, help="Write rows.csv beside rows.parquet.")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the report.")
@click.pass_context
def run_command(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
    """Audit DATASET, a folder or a table of labelled faces; without it, the built-in demo set.

    Interrupted? The same command continues. Finished? The same command shows the report again at once.

    \b
    Examples:
      fer-audit run
      fer-audit run path/to/UTKFace --k 4 --seed 42 --out runs/utkface
      fer-audit run faces.csv --path-column file --group race=ethnicity --label expression
      fer-audit run path/to/UTKFace --sample 2000 --json > result.json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show
    from fer_audit.report.document import result_json
    from fer_audit.report.terminal import terminal_report

    done = _walk(dataset, values, "report", csv=values["csv"])
    if done.result is None:
        raise RuntimeError("a whole run gave no result")
    if values["as_json"]:
        click.echo(result_json(done.result), nl=False)
    else:
        show(terminal_report(done.result, done.timings))
        click.echo(f"Run directory: {done.folder} (open report.html in a browser)", err=True)
    _exit_by_result(ctx, done, values["max_errors"])


@click.command("embed", short_help="Only decode and embed.")
@dataset_argument
@dataset_options
@model_options
@place_options
@click.pass_context
def embed_command(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
    """Embed DATASET: embeddings.npy and rows.parquet, one row a file.

    \b
    Example:
      fer-audit embed path/to/UTKFace --out runs/utkface
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    done = _walk(dataset, values, "embed")
    click.echo(str(done.folder / "embeddings.npy"))
    _exit_by_result(ctx, done, values["max_errors"])


@click.command("cluster", short_help="Embed and cluster.")
@dataset_argument
@dataset_options
@model_options
@cluster_options
@place_options
@click.pass_context
def cluster_command(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
    """Embed and cluster DATASET: rows.parquet then holds each image's cluster.

    \b
    Example:
      fer-audit cluster path/to/UTKFace --k 8 --out runs/utkface-k8
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    done = _walk(dataset, values, "cluster")
    click.echo(str(done.folder / "rows.parquet"))
    _exit_by_result(ctx, done, values["max_errors"])


@click.command("audit", short_help="Embed, cluster and audit, without the report.")
@dataset_argument
@dataset_options
@model_options
@cluster_options
@statistics_options
@place_options
@click.pass_context
def audit_command(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
    """Do all the work of `run` but the page, and print only where the result lies.

    \b
    Example:
      fer-audit audit path/to/UTKFace --out runs/utkface
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    done = _walk(dataset, values, "audit")
    click.echo(str(done.folder / "result.json"))
    _exit_by_result(ctx, done, values["max_errors"])


def _walk(dataset: Path | None, values: dict[str, Any], until: Until, *, csv: bool = False) -> Run:
    """Run the pipeline with progress on stderr."""
    from fer_audit.cli.console import Terminal

    config = audit_config(values)
    with Terminal(quiet=values["quiet"]) as terminal:
        # numpy, pillow and onnxruntime load here, so that --help does not wait for them
        from fer_audit.pipeline import run_audit
        from fer_audit.synth import demo_dataset

        if dataset is None:
            dataset = demo_dataset(values["cache_dir"])
            terminal.say("no DATASET given: auditing the built-in demo set of drawn faces")
            name = "demo"
        else:
            name = dataset.resolve().stem or "dataset"
        return run_audit(
            dataset,
            values["out"] or default_folder(name, config),
            config=config,
            resources=resources(values),
            until=until,
            csv=csv,
            report=shown(values),
            progress=terminal,
        )


def default_folder(name: str, config: AuditConfig) -> Path:
    """Return runs/<name>-..., different for whatever a person would want to keep apart."""
    words = [name]
    if config.first is not None:
        words.append(f"first{config.first}")
    if config.sample is not None:
        words.append(f"sample{config.sample}")
    k = "kauto" if config.k_auto else f"k{config.k}"
    words += [Path(config.model).stem, k, f"seed{config.seed}"]
    return Path("runs") / re.sub(r"[^\w.-]+", "_", "-".join(words))


def _exit_by_result(ctx: click.Context, done: Run, max_errors: float) -> None:
    """Say which rules were crossed and how many images failed, and end with the code that says so.

    Too many failed images (4) come before a crossed rule (1): numbers from half a set decide nothing.
    """
    failed, listed = done.failed, len(done.dataset)
    rules = () if done.result is None else done.result.gate
    for rule in rules:
        if rule.crossed:
            click.echo(f"fer-audit: crossed: {rule.rule} (it is {rule.value:.6g})", err=True)
        elif rule.value is None:
            click.echo(f"fer-audit: not judged: {rule.rule} ({rule.reason})", err=True)
    if failed > max_errors * listed:
        click.echo(
            f"fer-audit: {failed} of {listed} images failed, more than --max-errors {max_errors:g}; "
            "rows.parquet names each with its reason",
            err=True,
        )
        ctx.exit(TOO_MANY_FAILED)
    if any(rule.crossed for rule in rules):
        ctx.exit(RULE_CROSSED)
