"""run, and its first stages as verbs: embed, cluster, audit."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_audit.cli import options
from fer_audit.cli.gate import RULE_CROSSED, verdicts
from fer_audit.cli.output import answer, answer_json, answer_path, say
from fer_audit.cli.param_types import PATH, Decorator, Verb, flag, in_group, together
from fer_audit.cli.settings import audit_config, report_settings, resources
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
@options.dataset_options
@options.model_options
@options.prediction_options
@options.cluster_options
@options.statistics_options
@options.report_options
@options.place_options
@in_group(
    "Output",
    flag("--csv", "Also write rows.csv."),
    flag("--json as_json", "Print result.json instead of the report."),
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
    done = _run_stages(dataset, values, "report")
    if done.result is None:
        raise RuntimeError("a whole run gave no result")
    result = done.shared or shared(done.result, values["min_cell"])
    if values["as_json"]:
        answer_json(result_json(result))
    elif not values["quiet"]:
        timings = read_timings(done.folder / "timings.json")
        page, least = done.folder / "report.html", values["min_cell"]
        show_report(View(result, timings=timings), done.folder, page, min_cell=least)
    _exit_by_results(ctx, [done], values["max_errors"], report=result)


def _run_encoders(ctx: click.Context, dataset: Path | None, values: dict[str, Any]) -> None:
    """Audit a set under each of several encoders, and say which claims hold under every one."""
    from fer_audit.audit.compare.claims import compare_encoders
    from fer_audit.cli.console import show
    from fer_audit.encoders.export import spec_of
    from fer_audit.pipeline.model import refuse_other_task
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
    for each in models:  # before hours of work with the first
        refuse_other_task(spec_of(each, resources(values)), "embed")
    if values["min_cell"]:
        raise ConfigError(
            "--min-cell is for one encoder at a time",
            hint="Make the runs first, then share each with: fer-audit report RUN --min-cell N",
        )
    name = "demo" if dataset is None else dataset.resolve().stem or "dataset"
    out = values["out"] or default_folder(
        name, audit_config({**values, "model": "-".join(folders)})
    )
    runs = {
        folder: _run_stages(dataset, {**values, "model": model, "out": out / folder}, "report")
        for model, folder in zip(models, folders, strict=True)
    }
    found = compare_encoders({name: done.result for name, done in runs.items() if done.result})
    make_folder(out)
    write_text(out / "encoders.json", comparison_json(found))
    if values["as_json"]:
        answer_json(comparison_json(found))
    elif not values["quiet"]:
        show(terminal_report(make_encoders(found)))
        for done in runs.values():
            answer(f"More: fer-audit report {shlex.quote(str(done.folder))}")
        answer(f"-> {out}")
    _exit_by_results(ctx, runs.values(), values["max_errors"])


def _stages_to(
    until: Until, file: str, short: str, about: str, example: str, *more: Decorator
) -> click.Command:
    """Return the verb that runs the stages up to one and prints the path of its file."""

    @click.pass_context
    def run_stages(ctx: click.Context, /, dataset: Path | None, **values: Any) -> None:  # noqa: ANN401 - options
        done = _run_stages(dataset, values, until)
        answer_path(done.folder / file)
        _exit_by_results(ctx, [done], values["max_errors"])

    run_stages.__doc__ = f"{about}\n\n\b\nExample:\n  fer-audit {example}"
    decorate = together(
        dataset_argument,
        options.dataset_options,
        options.model_options,
        *more,
        options.place_options,
    )
    return click.command(until, cls=Verb, short_help=short)(decorate(run_stages))


embed_command = _stages_to(
    "embed",
    "embeddings.npy",
    "Only decode and embed.",
    "Embed DATASET: embeddings.npy and rows.parquet, one row a file.",
    "embed path/to/UTKFace --out runs/utkface",
)
cluster_command = _stages_to(
    "cluster",
    "rows.parquet",
    "Embed and cluster.",
    "Embed and cluster DATASET: rows.parquet then holds each image's cluster.",
    "cluster path/to/UTKFace --k 8 --out runs/utkface-k8",
    options.cluster_options,
)
audit_command = _stages_to(
    "audit",
    "result.json",
    "Embed, cluster and audit, without the report.",
    "Do all the work of `run` but the page, and print only the path of the result.",
    "audit path/to/UTKFace --out runs/utkface",
    *(options.prediction_options, options.cluster_options, options.statistics_options),
)


def _run_stages(dataset: Path | None, values: dict[str, Any], until: Until) -> Run:
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
            csv=values.get("csv", False),
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


def _exit_by_results(
    ctx: click.Context,
    runs: Iterable[Run],
    max_errors: float,
    *,
    report: AuditResult | None = None,
) -> None:
    """Say which rules were crossed and how many images failed, and exit with the largest of the codes.

    Every rule counts; of those whose value `report` does not show (--min-cell), no value is said.
    Too many failed images (4) come before a crossed rule (1): numbers from half a set decide nothing.
    """
    code = 0
    for done in runs:
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
            code = TOO_MANY_FAILED
        elif not done.dataset.whole:
            say("fer-audit: a part of the set could not be read; the notes name it")
            code = TOO_MANY_FAILED
        elif any(rule.crossed for rule in rules):
            code = max(code, RULE_CROSSED)
    if code:
        ctx.exit(code)
