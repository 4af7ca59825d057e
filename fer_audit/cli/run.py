"""run, and its first stages as verbs: embed, cluster, audit."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli.chosen import audit_config, report_settings, resources
from fer_audit.cli.gate import RULE_CROSSED, verdicts
from fer_audit.cli.groups import Verb, in_group
from fer_audit.cli.options import (
    cluster_options,
    dataset_options,
    model_options,
    place_options,
    report_options,
    statistics_options,
)
from fer_audit.cli.output import answer_json, answer_path, say
from fer_audit.cli.param_types import PATH
from fer_audit.cli.prediction_options import prediction_options
from fer_audit.cli.sharing import shared
from fer_audit.errors import ConfigError

if TYPE_CHECKING:
    from fer_audit.audit.types.result import AuditResult
    from fer_audit.config import AuditConfig
    from fer_audit.pipeline.run import Until
    from fer_audit.pipeline.types import Run

TOO_MANY_FAILED = 4
MAX_NAME_BYTES = 200
"""Bytes of the default name of a run directory; file systems take 255."""

dataset_argument = click.argument("dataset", required=False, type=PATH, metavar="[DATASET]")


@click.command("run", cls=Verb, short_help="Audit a dataset.")
@dataset_argument
@dataset_options
@model_options
@prediction_options
@cluster_options
@statistics_options
@report_options
@place_options
@in_group(
    "Output",
    click.option("--csv", is_flag=True, help="Also write rows.csv."),
    click.option(
        "--json", "as_json", is_flag=True, help="Print result.json instead of the report."
    ),
)
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
      fer-audit run path/to/UTKFace --model resnet50-keras,resnet50-random --out runs/encoders
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import show_report
    from fer_audit.report.files.document import result_json
    from fer_audit.report.files.timings import read_timings
    from fer_audit.report.view import View

    if "," in values["model"] and not Path(values["model"]).is_file():
        _run_encoders(ctx, dataset, values)
        return
    done = _run_stages(dataset, values, "report", csv=values["csv"])
    if done.result is None:
        raise RuntimeError("a whole run gave no result")
    result = done.shared or shared(done.result, values["min_cell"])
    if values["as_json"]:
        answer_json(result_json(result))
    elif not values["quiet"]:
        timings = read_timings(done.folder / "timings.json")
        show_report(View(result, timings=timings), done.folder, done.folder / "report.html")
    _exit_by_result(ctx, done, values["max_errors"], report=result)


def _run_encoders(ctx: click.Context, dataset: Path | None, values: dict[str, Any]) -> None:
    """Audit a set under each of several encoders, and say which claims hold under every one."""
    from fer_audit.audit.compare.claims import compare_encoders
    from fer_audit.cli.console import show
    from fer_audit.report.comparison import comparison_json, make_encoders
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.store.stage import make_folder, write_text

    models = list(dict.fromkeys(each.strip() for each in values["model"].split(",")))
    folders = [Path(each).stem for each in models]
    if not all(folders) or len(set(folders)) < len(folders):
        raise ConfigError(
            f"--model {values['model']}: an encoder has no name, or two have one",
            hint="Give names from `fer-audit models`, or .onnx files of different names, with commas between.",
        )
    if values["min_cell"]:
        raise ConfigError(
            "--min-cell is for one encoder at a time",
            hint="Make the runs first, then share each with: fer-audit report RUN --min-cell N",
        )
    name = "demo" if dataset is None else dataset.resolve().stem or "dataset"
    out = values["out"] or default_folder(
        name, audit_config({**values, "model": "-".join(folders)})
    )
    runs = [
        _run_stages(
            dataset, {**values, "model": model, "out": out / folder}, "report", csv=values["csv"]
        )
        for model, folder in zip(models, folders, strict=True)
    ]
    found = compare_encoders(
        {
            folder: done.result
            for folder, done in zip(folders, runs, strict=True)
            if done.result is not None
        }
    )
    make_folder(out)
    write_text(out / "encoders.json", comparison_json(found))
    if values["as_json"]:
        answer_json(comparison_json(found))
    elif not values["quiet"]:
        show(terminal_report(make_encoders(found)))
    code = 0
    for done in runs:
        code = max(code, _code_of(done, values["max_errors"]))
    if code:
        ctx.exit(code)


@click.command("embed", cls=Verb, short_help="Only decode and embed.")
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
    _print_file_of(ctx, dataset, values, until="embed", file="embeddings.npy")


@click.command("cluster", cls=Verb, short_help="Embed and cluster.")
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
    _print_file_of(ctx, dataset, values, until="cluster", file="rows.parquet")


@click.command("audit", cls=Verb, short_help="Embed, cluster and audit, without the report.")
@dataset_argument
@dataset_options
@model_options
@prediction_options
@cluster_options
@statistics_options
@place_options
@click.pass_context
def audit_command(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
    """Do all the work of `run` but the page, and print only the path of the result.

    \b
    Example:
      fer-audit audit path/to/UTKFace --out runs/utkface
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    _print_file_of(ctx, dataset, values, until="audit", file="result.json")


def _print_file_of(
    ctx: click.Context, dataset: Path | None, values: dict[str, Any], *, until: Until, file: str
) -> None:
    """Run the stages up to one and print the path of its file."""
    done = _run_stages(dataset, values, until)
    answer_path(done.folder / file)
    _exit_by_result(ctx, done, values["max_errors"])


def _run_stages(
    dataset: Path | None, values: dict[str, Any], until: Until, *, csv: bool = False
) -> Run:
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
            report=report_settings(values),
            progress=terminal,
        )


def default_folder(name: str, config: AuditConfig) -> Path:
    """Return runs/<name>-..., different for every set, size, model, k and seed."""
    words = [name]
    if config.dataset.only is not None:
        chosen = Path(config.dataset.only)
        words.append(f"only-{chosen.absolute().parent.name}-{chosen.stem}")
    if config.dataset.first is not None:
        words.append(f"first{config.dataset.first}")
    if config.dataset.sample is not None:
        words.append(f"sample{config.dataset.sample}")
    k = "kauto" if config.clusters.k_auto else f"k{config.clusters.k}"
    words += [Path(config.model.model).stem, k, f"seed{config.seed}"]
    whole = re.sub(r"[^\w.-]+", "_", "-".join(words))
    if len(whole.encode()) > MAX_NAME_BYTES:  # a set's own name may be that long
        kept = whole.encode()[: MAX_NAME_BYTES - 9].decode(errors="ignore")
        whole = f"{kept}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
    return Path("runs") / whole


def _exit_by_result(
    ctx: click.Context, done: Run, max_errors: float, *, report: AuditResult | None = None
) -> None:
    """Say which rules were crossed and how many images failed, and exit with that code."""
    if code := _code_of(done, max_errors, report=report):
        ctx.exit(code)


def _code_of(done: Run, max_errors: float, *, report: AuditResult | None = None) -> int:
    """Say which rules were crossed and how many images failed, and return the exit code.

    Every rule counts; of those whose value `report` does not show (--min-cell), no value is said.
    Too many failed images (4) come before a crossed rule (1): numbers from half a set decide nothing.
    """
    failed, listed = done.failed, len(done.dataset)
    rules = () if done.result is None else done.result.gate
    for each in verdicts(rules, rules if report is None else report.gate):
        if each.verdict != "kept" or each.value is None:
            say(f"fer-audit: {each.line()}")
    if failed > max_errors * listed:
        say(
            f"fer-audit: {failed} of {listed} images failed, more than --max-errors {max_errors:g}; "
            "rows.parquet names each with its reason"
        )
        return TOO_MANY_FAILED
    if not done.dataset.whole:
        say("fer-audit: a part of the set could not be read; the notes name it")
        return TOO_MANY_FAILED
    return RULE_CROSSED if any(rule.crossed for rule in rules) else 0
