"""doctor: versions, providers, disk and models of this machine, and what stops a run."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from fer_audit.cli.groups import flag, option
from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH

PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "onnx", "pyarrow", "rich", "click")


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
    for spec, path in available_models(models_folder(models_dir, cache_dir)):
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
