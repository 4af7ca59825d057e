"""Options that several verbs share: the one table of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from fer_audit.cli.groups import Option, in_group
from fer_audit.cli.param_types import (
    PATH,
    AgeBins,
    ClusterCount,
    ColumnList,
    NameColumn,
    Renamed,
)
from fer_audit.cli.sharing import min_cell_option
from fer_audit.config import AGE_BINS, ANY_LABEL, AuditConfig, ReportSettings, Resources

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

_CONFIG, _REPORT, _RESOURCES = AuditConfig(), ReportSettings(), Resources()


def _together(*options: Decorator) -> Decorator:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _option(flag: str, help: str | None = None, **facts: Any) -> Decorator:  # noqa: ANN401 - click's own
    """Return an option that shows its default, if it has one; the default also says of what type it is."""
    shown = {"show_default": "default" in facts, "cls": Option}
    return click.option(flag, help=help, **{**shown, **facts})


def _expert(flag: str, help: str, **facts: Any) -> Decorator:  # noqa: ANN401 - click's own
    """Return an option that only --help-all shows."""
    return _option(flag, help, expert=True, **facts)


def _formats() -> click.Choice[str]:
    from fer_audit.dataset.formats.registry import format_names  # light: it loads no format

    return click.Choice(format_names())


dataset_options = _together(
    in_group(
        "Data",
        click.option(
            "--layout",
            "--format",
            "layout",
            cls=Renamed,
            metavar="NAME",
            help="How to read DATASET, a name from `fer-audit datasets`; auto looks at it.",
            type=_formats(),
            default=_CONFIG.dataset.layout,
        ),
        click.option(
            "--images",
            "images_dir",
            metavar="DIR",
            help="Where a table's images lie, if not in its own folder.",
        ),
        _option("--path-column", "Table column with the image paths.", metavar="COLUMN"),
        _option(
            "--only", "Audit the images of a list, one id a line, e.g. keep.txt.", metavar="FILE"
        ),
        _option(
            "--weights",
            "Weigh the images as a table says, e.g. balance's weights.parquet.",
            metavar="[COLUMN=]FILE",
        ),
        _option("--sample", "Audit a seeded uniform sample of N images.", type=int, metavar="N"),
        _option("--first", "Audit the first N images in file order.", type=int, metavar="N"),
    ),
    in_group(
        "Labels",
        _option(
            "--group",
            "Demographic attribute of a table; repeatable.",
            type=NameColumn(),
            multiple=True,
        ),
        _option("--label", "Label attribute, e.g. expression.", type=NameColumn(), multiple=True),
        _option("--batch", "Batch attribute, e.g. session.", type=NameColumn(), multiple=True),
        _option(
            "--split",
            "Column that says to which part of a benchmark an image belongs.",
            metavar="COLUMN",
        ),
        _option("--subject", "Column that says who is on an image.", metavar="COLUMN"),
        _option(
            "--age-column",
            "Table column with ages; years=COLUMN insists that numbers from 0 to 8 are years.",
            metavar="COLUMN",
        ),
        _option("--age-codes", "What ages of 0 to 8 stand for, e.g. fairface.", metavar="NAME"),
        _option(
            "--names",
            "Names of a column's codes: race=0:White,1:Black or race=fairface; repeatable.",
            type=NameColumn(),
            multiple=True,
        ),
        _expert(
            "--map",
            "Show an attribute also in another set's groups, as one more attribute: race=race4, expression=expression6, "
            "age_bin=age5; repeatable.",
            type=NameColumn(),
            multiple=True,
            metavar="NAME=MAP",
        ),
        _expert(
            "--age-bins",
            "Lower ends of the age bins.",
            type=AgeBins(),
            default=",".join(map(str, AGE_BINS)),
        ),
    ),
)

model_options = _together(
    in_group(
        "Model",
        _option(
            "--model",
            "Name from `fer-audit models`, or an .onnx file with its sidecar; `run` takes several, A,B.",
            default=_CONFIG.model.model,
            metavar="NAME|FILE",
        ),
        _option(
            "--precision",
            "Of the model's numbers; fp16 is for CUDA, int8 for CPUs, calibrated on DATASET at first use.",
            type=click.Choice(["fp32", "fp16", "int8"]),
            default=_CONFIG.model.precision,
        ),
        _expert("--batch-size", "Images in one model call.", default=_CONFIG.model.batch_size),
    ),
    in_group(
        "Machine",
        _option(
            "--device",
            "cuda is CUDA or an error; cuda:0,1 and cuda:all share the work.",
            default=_RESOURCES.device,
            metavar="auto|cpu|cuda[:N,...]",
        ),
        _expert("--threads", "Threads of the model; default: usable cores.", type=int),
        _option("--workers", "Decoding processes; default: usable cores, at most 8.", type=int),
        _expert(
            "--file-seconds",
            "Longest time to decode one file; over it the file fails as timeout.",
            default=_RESOURCES.file_seconds,
        ),
    ),
)

cluster_options = in_group(
    "Clusters",
    _option(
        "--k",
        "Number of clusters; auto = chosen from elbow, silhouette and stability.",
        type=ClusterCount(),
        default=_CONFIG.clusters.k,
    ),
    _option("--seed", "Of every random draw.", default=_CONFIG.seed),
    _expert("--starts", "K-Means runs.", default=_CONFIG.clusters.starts),
    _expert("--sweep-max", "The elbow looks at k = 1..N.", default=_CONFIG.clusters.sweep_max),
)

statistics_options = _together(
    in_group(
        "Statistics",
        _option(
            "--given",
            "Ask every association also within strata of these attributes; repeatable.",
            type=ColumnList(),
            multiple=True,
            metavar="A,B",
        ),
        _option(
            "--reference",
            'JSON of a larger set\'s counts: {"race": {"White": 10078, ...}}.',
            type=PATH,
            metavar="FILE",
        ),
        _option(
            "--what-if",
            "Erase these attributes from the vectors and see what clusters and probes still find; slow.",
            type=ColumnList(),
            default=(),
            show_default=False,
            metavar="A,B",
        ),
        _option(
            "--mitigate",
            "Compare heads that treat groups alike, for a label column; alone, for every label; slow.",
            is_flag=False,
            flag_value=ANY_LABEL,
            default="",
            show_default=False,
            metavar="[LABEL]",
        ),
        _option(
            "--keep-duplicates",
            "Test on every file, not on one copy of each byte-identical group.",
            is_flag=True,
        ),
        _expert(
            "--permutations",
            "Tables drawn for each permutation p.",
            default=_CONFIG.statistics.permutations,
        ),
        _expert(
            "--bootstraps", "Resamples for each interval.", default=_CONFIG.statistics.bootstraps
        ),
        _expert("--confidence", "Of every interval.", default=_CONFIG.statistics.confidence),
        _expert("--alpha", "Largest p that counts.", default=_CONFIG.statistics.alpha),
        _expert(
            "--replay",
            "Draw so many small studies from the set and audit each.",
            default=_CONFIG.statistics.replay,
        ),
        _expert(
            "--replay-size", "Images in a small study.", default=_CONFIG.statistics.replay_size
        ),
        _expert(
            "--recluster",
            "Bootstrap resamples that are clustered again, for intervals that include it.",
            default=_CONFIG.statistics.recluster,
        ),
    ),
    in_group(
        "Gate",
        _option(
            "--fail-on",
            "Exit 1 when crossed, e.g. 'race.v_corrected>0.2'; repeatable; see docs/gate.md.",
            multiple=True,
            metavar="RULE",
        ),
    ),
)

report_options = _together(
    in_group(
        "Privacy",
        min_cell_option,
        _option(
            "--thumbnails",
            "Show N nearest, median and farthest faces of each cluster in report.html.",
            default=_REPORT.thumbnails,
            metavar="N",
        ),
        _option("--blur-faces", "Make the faces of --thumbnails unrecognisable.", is_flag=True),
    ),
    in_group(
        "Output",
        _expert(
            "--projection",
            "How report.html lays the images out; umap needs the extra map.",
            type=click.Choice(["pca", "umap"]),
            default=_REPORT.projection,
        ),
    ),
)

place_options = _together(
    in_group(
        "Output",
        _option(
            "--out",
            "Run directory; default: runs/<what was asked for>.",
            type=PATH,
            metavar="DIR",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress, only errors."),
    ),
    in_group(
        "Machine",
        _option(
            "--cache-dir",
            "Where pixels, vectors and weights are kept; default: the user's cache.",
            type=PATH,
            metavar="DIR",
        ),
        _expert("--models-dir", "Where exported models live.", type=PATH, metavar="DIR"),
        _option(
            "--max-errors",
            "Share of failed images above which the exit code is 4.",
            type=click.FloatRange(0, 1),
            default=_RESOURCES.max_errors,
        ),
        _expert(
            "--pack",
            "Keep the decoded pixels; auto = when the disk has room.",
            type=click.Choice(["auto", "on", "off"]),
            default=_RESOURCES.pack,
        ),
        _expert("--verify", "Read every file again and compare its bytes.", is_flag=True),
    ),
)
