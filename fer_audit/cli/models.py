"""export, models and doctor: the files that embed, and what else of this machine stops a run."""

from __future__ import annotations

import dataclasses
import json
import platform
import re
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH, ClassNames, Numbers, flag, option
from fer_audit.config import Precision, Resources

_models_dir = option("--models-dir", "Where exports live.", type=PATH)
_cache_dir = option("--cache-dir", "Where weights are kept.", type=PATH)
PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "onnx", "pyarrow", "rich", "click")


@click.command("export", short_help="Build a model's ONNX file once.")
@option("--model name", "Catalog name.", default="resnet50-keras")
@option(
    "--from source",
    "A copy of the weights: the npm tarball, Keras' .h5, or (torchvision) a .safetensors file.",
    type=PATH,
)
@option(
    "--precision",
    "fp16 is for CUDA, int8 for CPUs.",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
)
@option(
    "--calibrate dataset",
    "int8: the set whose images give the ranges, and whose runs will use the model.",
    type=PATH,
    metavar="DATASET",
)
@flag("--force", "Export again even if the file is there and whole.")
@_models_dir
@_cache_dir
@flag("-q --quiet", "Only errors.")
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
    from fer_audit.encoders.export import export_model, find_or_export

    if (precision == "int8") != (dataset is not None):
        raise click.UsageError(
            "--precision int8 needs --calibrate DATASET, and the other way round"
        )
    places = Resources(cache_dir=cache_dir, models_dir=models_dir)
    with Terminal(quiet=quiet) as terminal:
        if dataset is not None:
            from fer_audit.config import AuditConfig
            from fer_audit.dataset.load import load_dataset
            from fer_audit.pipeline.quantized import find_or_quantize

            if source is not None:
                raise click.UsageError("--from is for fp32; int8 is made from that export")
            config = AuditConfig.of(model=name, precision=precision)
            found = load_dataset(dataset, config)
            model = find_or_quantize(found, config, places, terminal, again=force)
        elif force or source is not None:
            model = export_model(name, precision, places, terminal, source=source)
        else:
            model = find_or_export(name, precision, places, terminal)
    answer(f"{model.path}  sha256 {model.sha256}")


@click.group("models", short_help="List the models.", invoke_without_command=True)
@_models_dir
@_cache_dir
@flag("--json as_json", "Print JSON.")
@click.pass_context
def models_command(
    ctx: click.Context, models_dir: Path | None, cache_dir: Path | None, as_json: bool
) -> None:
    """List the encoders and classifiers there are: from where, under which licence, trained on what, and what is exported.

    \b
    Examples:
      fer-audit models --json
      fer-audit models add model.onnx --preset ferplus-8
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    if ctx.invoked_subcommand is not None:
        return
    from fer_audit.encoders.export import available_models, models_folder

    folder = models_folder(Resources(cache_dir=cache_dir, models_dir=models_dir))
    found = available_models(folder)
    if as_json:
        names = ("name", "task", "size", "dim", "weights", "licence", "citation", "trained_on")
        records = [
            {name: getattr(spec, name) for name in names}
            | {"heads": [dataclasses.asdict(head) for head in spec.heads], "caveat": spec.caveat}
            | {"exported": None if path is None else str(path)}
            for spec, path in found
        ]
        answer_json(json.dumps(records, indent=2) + "\n")
        return
    for task, title in (
        ("embed", "Encoders, for --model"),
        ("classify", "Classifiers, for --predict"),
    ):
        answer(f"{title}:")
        for spec, path in found:
            if spec.task == task:
                there = "" if path is None else "; exported"
                gives = ", ".join(head.name for head in spec.heads) or f"{spec.dim} numbers"
                answer(f"  {spec.name:20} {gives} of {spec.size} x {spec.size} pixels{there}")
                answer(f"  {'':20}   weights: {spec.weights}; {spec.licence}")
                answer(f"  {'':20}   trained on: {spec.trained_on}")
    answer(f"Exported models lie in {folder}. Any other ONNX file: fer-audit models add FILE")


@models_command.command("add")
@click.argument("file", type=PATH)
@option(
    "--preset preset_name NAME",
    "A network that is known: how it is fed, its classes. One of opencv-mobilefacenet, emotiefflib-b0, ferplus-8, "
    "vit-face-expression, fairface-resnet34.",
)
@option("--name", "What reports call it.  [default: the file's name]")
@option("--task", "What it is for.", type=click.Choice(["embed", "classify"]))
@option(
    "--classes",
    "In the order of its outputs; race=A,B;gender=C,D for several heads.",
    type=ClassNames(),
)
@option("--output NAME", "Which output, where it has several.")
@option("--size", "Pixels of a side, where any are taken.", type=click.IntRange(1, 4096))
@option("--layout", "Order of the input's sides.", type=click.Choice(["NCHW", "NHWC"]))
@option("--colour", "Channels it was trained on.", type=click.Choice(["RGB", "BGR", "grey"]))
@option("--mean", "Subtracted from bytes, one number or one a channel.", type=Numbers())
@option("--scale", "Multiplied after that, e.g. 1/255.", type=Numbers())
@flag("--padded", "Pad images to a black square.  [default: stretch them]")
@option("--image", "An image to show its answer on.  [default: a drawn one]", type=PATH)
@_models_dir
@_cache_dir
def add_command(
    file: Path,
    preset_name: str | None,
    name: str | None,
    classes: tuple[tuple[str, tuple[str, ...]], ...] | None,
    image: Path | None,
    models_dir: Path | None,
    cache_dir: Path | None,
    **asked: Any,  # noqa: ANN401 - the fields of a Contract
) -> None:
    """Import any ONNX network: look into it, ask for what it does not say, and write it as a model of ours.

    \b
    Examples:
      fer-audit models add enet_b0_8_best_vgaf.onnx --preset emotiefflib-b0
      fer-audit models add mine.onnx --classes happy,sad,other --colour RGB --mean 0 --scale 1/255
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.dataset.names import is_expression
    from fer_audit.encoders.export import models_folder
    from fer_audit.encoders.presets import Contract, preset
    from fer_audit.encoders.types import Head
    from fer_audit.pipeline.import_model import import_model, shown

    heads = tuple(
        Head("expression" if head == "class" and all(map(is_expression, words)) else head, words)
        for head, words in classes or ()
    )
    contract = Contract(**{k: v for k, v in asked.items() if v is not None}, heads=heads)
    if preset_name is not None:
        contract = contract.filled_from(preset(preset_name))
    parent = click.get_current_context().parent
    before = {} if parent is None else parent.params  # models --models-dir X add FILE
    places = Resources(
        models_dir=models_dir or before.get("models_dir"),
        cache_dir=cache_dir or before.get("cache_dir"),
    )
    folder = models_folder(places)
    plain_name = re.sub(r"[^\w.-]+", "-", file.stem, flags=re.ASCII).strip("-._")
    done = import_model(file, contract, name=name or plain_name, models_dir=folder, image=image)
    for line in (*done.understood, *shown(done, None if image is None else image.name)):
        answer(line)
    answer(f"{done.model.path}  sha256 {done.model.sha256}")
    option = "--model" if done.model.spec.task == "embed" else "--predict"
    answer(f"fer-audit run DATASET {option} {shlex.quote(str(done.model.path))}")


@click.command("doctor", short_help="Check this machine.")
@option("--cache-dir", "The cache to look at.", type=PATH)
@option("--models-dir", "The models to look at.", type=PATH)
@flag("--json as_json", "Print JSON.")
@click.pass_context
def doctor_command(
    ctx: click.Context, cache_dir: Path | None, models_dir: Path | None, as_json: bool
) -> None:
    """Check versions, providers, threads, disk and model files; exit 2 when something stops a run.

    \b
    Example:
      fer-audit doctor
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    facts, problems = examine(cache_dir, models_dir)
    if as_json:
        answer_json(json.dumps({"facts": facts, "problems": problems}, indent=2) + "\n")
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            answer(f"{name:<{width}}  {value}")
        for problem in problems:
            answer(f"PROBLEM: {problem}")
        if not problems:
            answer("Nothing is wrong.")
    ctx.exit(2 if problems else 0)


def examine(cache_dir: Path | None, models_dir: Path | None) -> tuple[dict[str, str], list[str]]:
    """Return what was found, and what stops a run."""
    from fer_audit import __version__
    from fer_audit.cores import usable_cores
    from fer_audit.embed.session import available_providers, installed_wheels, runtime_version
    from fer_audit.encoders.export import available_models, models_folder
    from fer_audit.encoders.sidecar import load_model
    from fer_audit.errors import ModelError
    from fer_audit.store.stage import cache_folder, free_bytes
    from fer_audit.text import size_text

    facts = {"fer-audit": __version__, "python": platform.python_version()}
    problems: list[str] = []
    for name in PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "missing"
    wheels = installed_wheels()
    facts["onnxruntime wheels"] = ", ".join(wheels) or "none"
    if len(wheels) > 1:
        problems.append(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each other: "
            "pip uninstall onnxruntime onnxruntime-gpu, then install one."
        )
    try:
        facts["onnxruntime"] = runtime_version()
        facts["providers"] = ", ".join(available_providers())
    except ModelError as exc:
        problems.append(f"{exc}. {exc.hint}")
    facts["usable cores"] = str(usable_cores())
    cache = cache_folder(cache_dir)
    facts["cache"] = f"{cache} ({size_text(free_bytes(cache))} free)"
    for spec, path in available_models(
        models_folder(Resources(cache_dir=cache_dir, models_dir=models_dir))
    ):
        label = f"model {spec.name}"
        try:
            facts[label] = (
                "not exported yet"
                if path is None
                else f"{path}, sha256 {load_model(path).sha256[:12]}, whole"
            )
        except ModelError as exc:
            facts[label] = "broken"
            problems.append(f"{exc}. {exc.hint}")
    return facts, problems
