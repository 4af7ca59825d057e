"""Options that say whose predictions are audited."""

from __future__ import annotations

import click

from fer_audit.cli.groups import Option, in_group
from fer_audit.cli.param_types import NameList, flat
from fer_audit.config import METHODS

prediction_options = in_group(
    "Predictions",
    click.option(
        "--predict",
        cls=Option,
        help="Classifiers to run on every image, names or files; repeatable. See `fer-audit models`.",
        type=NameList(),
        multiple=True,
        callback=flat,
    ),
    click.option(
        "--predictions",
        cls=Option,
        help="Table of predictions that somebody made; repeatable. MAP is a scheme of classes, e.g. race4.  [default: expression8]",
        multiple=True,
        metavar="[MAP=]TABLE",
    ),
    click.option(
        "--predicted-column",
        cls=Option,
        expert=True,
        help="Column of the predicted classes in those tables.",
        metavar="COLUMN",
    ),
    click.option(
        "--classify",
        cls=Option,
        help="Fit svm or linear on the set's own expressions; every image is predicted by a fit that has not seen it.",
        type=NameList(METHODS),
        multiple=True,
        callback=flat,
    ),
)
