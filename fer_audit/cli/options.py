"""Options that several verbs share, and the objects they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from fer_audit.cli.kinds import AUTO, AgeBins, Clusters, ColumnList, NameColumn
from fer_audit.cli.reference import read_reference
from fer_audit.cli.sharing import min_cell_option
from fer_audit.config import AGE_BINS, AuditConfig, ReportSettings, Resources

Command = Callable[..., Any]

_DEFAULT = AuditConfig()
_SHOWN = ReportSettings()


def _apply(options: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _formats() -> tuple[str, ...]:
    from fer_audit.dataset.formats.registry import format_names  # light: it loads no format

    return format_names()


dataset_options = _apply(
    [
        click.option(
            "--format",
            type=click.Choice(_formats()),
            default="auto",
            help="How to read DATASET; auto looks at it.",
        ),
        click.option("--path-column", help="Table column with the image paths."),
        click.option(
            "--group",
            type=NameColumn(),
            multiple=True,
            help="Demographic attribute of a table; repeatable.",
        ),
        click.option(
            "--label", type=NameColumn(), multiple=True, help="Label attribute, e.g. expression."
        ),
        click.option(
            "--batch", type=NameColumn(), multiple=True, help="Batch attribute, e.g. session."
        ),
        click.option("--age-column", help="Table column with ages in years."),
        click.option(
            "--age-bins",
            type=AgeBins(),
            default=",".join(map(str, AGE_BINS)),
            show_default=True,
            help="Lower ends of the age bins.",
        ),
        click.option("--sample", type=int, help="Audit a seeded uniform sample of N images."),
        click.option("--first", type=int, help="Audit the first N images in file order."),
    ]
)

model_options = _apply(
    [
        click.option(
            "--model",
            default=_DEFAULT.model.model,
            show_default=True,
            help="Name from `fer-audit models`, or an .onnx file with its sidecar.",
        ),
        click.option(
            "--precision",
            type=click.Choice(["fp32", "fp16", "int8"]),
            default=_DEFAULT.model.precision,
            show_default=True,
            help="Of the model's numbers; fp16 is for CUDA, int8 for CPUs, calibrated on DATASET at first use.",
        ),
        click.option(
            "--batch-size",
            type=int,
            default=_DEFAULT.model.batch_size,
            show_default=True,
            help="Images in one model call.",
        ),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            metavar="auto|cpu|cuda[:N,...]",
            help="cuda is CUDA or an error; cuda:0,1 and cuda:all share the work.",
        ),
        click.option("--threads", type=int, help="Threads of the model; default: usable cores."),
        click.option(
            "--workers",
            type=int,
            help="Decoding processes; default: usable cores, at most 8.",
        ),
        click.option(
            "--file-seconds",
            type=float,
            default=Resources().file_seconds,
            show_default=True,
            help="Longest time to decode one file; over it the file fails as timeout.",
        ),
    ]
)

cluster_options = _apply(
    [
        click.option(
            "--k",
            type=Clusters(),
            default=_DEFAULT.clusters.k,
            show_default=True,
            help="Number of clusters; auto = chosen from elbow, silhouette and stability.",
        ),
        click.option(
            "--starts",
            type=int,
            default=_DEFAULT.clusters.starts,
            show_default=True,
            help="K-Means runs.",
        ),
        click.option(
            "--sweep-max",
            type=int,
            default=_DEFAULT.clusters.sweep_max,
            show_default=True,
            help="The elbow looks at k = 1..N.",
        ),
        click.option("--seed", type=int, default=_DEFAULT.seed, show_default=True),
    ]
)

statistics_options = _apply(
    [
        click.option(
            "--permutations",
            type=int,
            default=_DEFAULT.statistics.permutations,
            show_default=True,
            help="Tables drawn for each permutation p.",
        ),
        click.option(
            "--bootstraps",
            type=int,
            default=_DEFAULT.statistics.bootstraps,
            show_default=True,
            help="Resamples for each interval.",
        ),
        click.option(
            "--confidence", type=float, default=_DEFAULT.statistics.confidence, show_default=True
        ),
        click.option("--alpha", type=float, default=_DEFAULT.statistics.alpha, show_default=True),
        click.option(
            "--keep-duplicates",
            is_flag=True,
            help="Test on every file, not on one copy of each byte-identical group.",
        ),
        click.option(
            "--given",
            type=ColumnList(),
            multiple=True,
            metavar="A,B",
            help="Ask every association also within strata of these attributes; repeatable.",
        ),
        click.option(
            "--replay",
            type=int,
            default=_DEFAULT.statistics.replay,
            show_default=True,
            help="Draw so many small studies from the set and audit each anew.",
        ),
        click.option(
            "--replay-size",
            type=int,
            default=_DEFAULT.statistics.replay_size,
            show_default=True,
            help="Images in a small study.",
        ),
        click.option(
            "--recluster",
            type=int,
            default=_DEFAULT.statistics.recluster,
            show_default=True,
            help="Bootstrap resamples that are clustered anew, for intervals that include it.",
        ),
        click.option(
            "--fail-on",
            multiple=True,
            metavar="RULE",
            help="Exit 1 when crossed, e.g. 'race.v_corrected>0.2'; repeatable; see docs/audit.md.",
        ),
        click.option(
            "--reference",
            type=click.Path(path_type=Path),
            help='JSON of a larger set\'s counts: {"race": {"White": 10078, ...}}.',
        ),
    ]
)

report_options = _apply(
    [
        min_cell_option,
        click.option(
            "--map",
            type=click.Choice(["pca", "umap"]),
            default=_SHOWN.map,
            show_default=True,
            help="How report.html lays the images out; umap needs the extra map.",
        ),
        click.option(
            "--thumbnails",
            type=int,
            default=_SHOWN.thumbnails,
            show_default=True,
            metavar="N",
            help="Show N nearest, median and farthest faces of each cluster in report.html.",
        ),
        click.option(
            "--blur-faces", is_flag=True, help="Make the faces of --thumbnails unrecognisable."
        ),
    ]
)

place_options = _apply(
    [
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Run directory; default: runs/<what was asked for>.",
        ),
        click.option(
            "--cache-dir",
            type=click.Path(path_type=Path),
            help="Where pixels, vectors and weights are kept; default: the user's cache.",
        ),
        click.option(
            "--models-dir", type=click.Path(path_type=Path), help="Where exported models live."
        ),
        click.option(
            "--pack",
            type=click.Choice(["auto", "on", "off"]),
            default="auto",
            show_default=True,
            help="Keep the decoded pixels; auto = when the disk has room.",
        ),
        click.option(
            "--verify", is_flag=True, help="Read every file again and compare its bytes."
        ),
        click.option(
            "--max-errors",
            type=click.FloatRange(0, 1),
            default=Resources().max_errors,
            show_default=True,
            help="Share of failed images above which the exit code is 4.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress, only errors."),
    ]
)


def audit_config(values: dict[str, Any]) -> AuditConfig:
    """Build the configuration from a verb's options; what a verb does not offer keeps its default."""
    from fer_audit.audit.gate import parse_rule

    chosen = _fields_of(AuditConfig, values)
    if chosen.get("reference") is not None:
        chosen["reference"] = read_reference(chosen["reference"])
    else:
        chosen.pop("reference", None)
    if chosen.get("k") == AUTO:
        chosen["k"] = _DEFAULT.clusters.k
        chosen["k_auto"] = True
    config = AuditConfig.of(**chosen)
    for rule in config.fail_on:
        parse_rule(rule)  # a rule that makes no sense is known before hours of work
    return config


def resources(values: dict[str, Any]) -> Resources:
    """Build the resources from a verb's options."""
    return Resources(**_fields_of(Resources, values))


def shown(values: dict[str, Any]) -> ReportSettings:
    """Build what report.html shows from a verb's options."""
    return ReportSettings(**_fields_of(ReportSettings, values))


def _fields_of(record: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return those of a verb's options that are fields of a record."""
    return {field.name: values[field.name] for field in fields(record) if field.name in values}
