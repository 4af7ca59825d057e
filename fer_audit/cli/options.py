"""Options that several verbs share: the one table of them."""

from __future__ import annotations

from functools import partial

import click

from fer_audit.cli import param_types
from fer_audit.cli.param_types import flag, in_group, option, together
from fer_audit.cli.sharing import min_cell_option
from fer_audit.config import AGE_BINS, ANY_LABEL, METHODS, AuditConfig, ReportSettings, Resources

_CONFIG, _REPORT, _RESOURCES = AuditConfig(), ReportSettings(), Resources()
_statistics = _CONFIG.statistics
_expert = partial(option, expert=True)
_several = partial(option, multiple=True)
_columns = partial(option, type=param_types.NameColumn(), multiple=True)
_folder = partial(option, type=param_types.PATH)


def _formats() -> click.Choice[str]:
    from fer_audit.dataset.formats.registry import format_names  # light: it loads no format

    return click.Choice(format_names())


dataset_options = together(
    in_group(
        "Data",
        option(
            "--layout NAME",
            "How to read DATASET, a name from `fer-audit datasets`; auto looks at it.",
            old="--format",
            type=_formats(),
            default=_CONFIG.dataset.layout,
            show_default=False,
        ),
        option("--images images_dir DIR", "Where a table's images lie, if not in its own folder."),
        option("--path-column COLUMN", "Table column with the image paths."),
        option("--only FILE", "Audit the images of a list, one id a line, e.g. keep.txt."),
        option(
            "--weights [COLUMN=]FILE",
            "Weigh the images as a table says, e.g. balance's weights.parquet.",
        ),
        option("--sample N", "Audit a seeded uniform sample of N images.", type=int),
        option("--first N", "Audit the first N images in file order.", type=int),
    ),
    in_group(
        "Labels",
        _columns("--group", "Demographic attribute of a table; repeatable."),
        _columns("--label", "Label attribute, e.g. expression."),
        _columns("--batch", "Batch attribute, e.g. session."),
        option(
            "--split COLUMN", "Column that says to which part of a benchmark an image belongs."
        ),
        option("--subject COLUMN", "Column that says who is on an image."),
        option(
            "--age-column COLUMN",
            "Table column with ages; years=COLUMN insists that numbers from 0 to 8 are years.",
        ),
        option("--age-codes NAME", "What ages of 0 to 8 stand for, e.g. fairface."),
        _columns(
            "--names",
            "Names of a column's codes: race=0:White,1:Black or race=fairface; repeatable.",
        ),
        _columns(
            "--map NAME=MAP",
            "Show an attribute also in another set's groups, as one more attribute: race=race4, expression=expression6, "
            "age_bin=age5; repeatable.",
            expert=True,
        ),
        _expert(
            "--age-bins",
            "Lower ends of the age bins.",
            type=param_types.AgeBins(),
            default=",".join(map(str, AGE_BINS)),
        ),
    ),
)

model_options = together(
    in_group(
        "Model",
        option(
            "--model NAME|FILE",
            "Name from `fer-audit models`, or an .onnx file with its sidecar; `run` takes several, A,B.",
            default=_CONFIG.model.model,
        ),
        option(
            "--precision",
            "Of the model's numbers; fp16 is for CUDA, int8 for CPUs, calibrated on DATASET at first use.",
            type=click.Choice(["fp32", "fp16", "int8"]),
            default=_CONFIG.model.precision,
        ),
        _expert("--batch-size", "Images in one model call.", default=_CONFIG.model.batch_size),
    ),
    in_group(
        "Machine",
        option(
            "--device",
            "cuda is CUDA or an error; cuda:0,1 and cuda:all share the work.",
            default=_RESOURCES.device,
            metavar="auto|cpu|cuda[:N,...]",
        ),
        _expert("--threads", "Threads of the model; default: usable cores.", type=int),
        option("--workers", "Decoding processes; default: usable cores, at most 8.", type=int),
        _expert(
            "--file-seconds",
            "Longest time to decode one file; over it the file fails as timeout.",
            default=_RESOURCES.file_seconds,
        ),
    ),
)

prediction_options = in_group(
    "Predictions",
    _several(
        "--predict",
        "Classifiers to run on every image, names or files; repeatable. See `fer-audit models`.",
        type=param_types.Listed(),
        callback=param_types.flat,
    ),
    _several(
        "--predictions [MAP=]TABLE",
        "Table of predictions that somebody made; repeatable. MAP is a scheme of classes, e.g. race4.  [default: expression8]",
    ),
    _expert("--predicted-column COLUMN", "Column of the predicted classes in those tables."),
    _several(
        "--classify",
        "Fit svm or linear on the set's own expressions; every image is predicted by a fit that has not seen it.",
        type=param_types.Listed(METHODS),
        callback=param_types.flat,
    ),
)

cluster_options = in_group(
    "Clusters",
    option(
        "--k",
        "Number of clusters; auto = chosen from elbow, silhouette and stability.",
        type=param_types.ClusterCount(),
        default=_CONFIG.clusters.k,
    ),
    option("--seed", "Of every random draw.", default=_CONFIG.seed),
    _expert("--starts", "K-Means runs.", default=_CONFIG.clusters.starts),
    _expert("--sweep-max", "The elbow looks at k = 1..N.", default=_CONFIG.clusters.sweep_max),
)

_COUNTS = (
    ("--permutations", "Tables drawn for each permutation p.", _statistics.permutations),
    ("--bootstraps", "Resamples for each interval.", _statistics.bootstraps),
    ("--confidence", "Of every interval.", _statistics.confidence),
    ("--alpha", "Largest p that counts.", _statistics.alpha),
    ("--replay", "Draw so many small studies from the set and audit each.", _statistics.replay),
    ("--replay-size", "Images in a small study.", _statistics.replay_size),
    (
        "--recluster",
        "Bootstrap resamples that are clustered again, for intervals that include it.",
        _statistics.recluster,
    ),
)

statistics_options = together(
    in_group(
        "Statistics",
        _several(
            "--given A,B",
            "Ask every association also within strata of these attributes; repeatable.",
            type=param_types.ColumnList(),
        ),
        _folder(
            "--reference FILE", 'JSON of a larger set\'s counts: {"race": {"White": 10078, ...}}.'
        ),
        option(
            "--what-if A,B",
            "Erase these attributes from the vectors and see what clusters and probes still find; slow.",
            type=param_types.ColumnList(),
            default=(),
            show_default=False,
        ),
        option(
            "--mitigate [LABEL]",
            "Compare heads that treat groups alike, for a label column; alone, for every label; slow.",
            is_flag=False,
            flag_value=ANY_LABEL,
            default="",
            show_default=False,
        ),
        flag(
            "--keep-duplicates",
            "Test on every file, not on one copy of each byte-identical group.",
        ),
        *(_expert(name, words, default=default) for name, words, default in _COUNTS),
    ),
    in_group(
        "Gate",
        _several(
            "--fail-on RULE",
            "Exit 1 when crossed, e.g. 'race.v_corrected>0.2'; repeatable; see docs/gate.md.",
        ),
    ),
)

report_options = together(
    in_group(
        "Privacy",
        min_cell_option,
        option(
            "--thumbnails N",
            "Show N nearest, median and farthest faces of each cluster in report.html.",
            default=_REPORT.thumbnails,
        ),
        flag("--blur-faces", "Make the faces of --thumbnails unrecognisable."),
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

place_options = together(
    in_group(
        "Output",
        _folder("--out DIR", "Run directory; default: runs/<what was asked for>."),
        flag("-q --quiet", "No progress, only errors."),
    ),
    in_group(
        "Machine",
        _folder(
            "--cache-dir DIR",
            "Where pixels, vectors and weights are kept; default: the user's cache.",
        ),
        _folder("--models-dir DIR", "Where exported models live.", expert=True),
        option(
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
        flag("--verify", "Read every file again and compare its bytes.", expert=True),
    ),
)
