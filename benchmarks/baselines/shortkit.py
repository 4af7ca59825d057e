"""ShortKit-ML as the Quick Start of its README has it, on many shuffled labels: python -m benchmarks.baselines.shortkit IN OUT.

IN is an .npz of vectors (n, d) and of groups and targets, both (runs, n); OUT is JSON: its version and, for each run, its
own overall assessment and the methods that raised a risk indicator or did not answer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shortcut_detect  # type: ignore[import-not-found]  # lives in the environment of this baseline only
from numpy.typing import NDArray

METHODS = ["hbac", "probe", "statistical", "geometric", "equalized_odds"]


def asked(vectors: NDArray[Any], labels: NDArray[Any], groups: NDArray[Any] | None) -> Any:  # noqa: ANN401 - JSON
    """Return what it says of one set of labels, with all its defaults."""
    detector = shortcut_detect.ShortcutDetector(methods=METHODS)
    detector.fit(vectors, labels, group_labels=groups)
    lines = detector.summary().splitlines()
    return {
        "says": lines[lines.index("OVERALL ASSESSMENT") + 2],
        "raised": [name for name in METHODS if detector.results_[name].get("risk_indicators")],
        "silent": [name for name in METHODS if not detector.results_[name]["success"]],
    }


def main() -> None:
    """Ask it of each row of labels, alone and as the groups of a target."""
    given = np.load(sys.argv[1], allow_pickle=False)
    vectors, groups, targets = (given[name] for name in ("vectors", "groups", "targets"))
    found = {
        "version": shortcut_detect.__version__,
        "fit(vectors, labels)": [asked(vectors, each, None) for each in groups],
        "fit(vectors, target, group_labels=labels)": [
            asked(vectors, target, each) for target, each in zip(targets, groups, strict=True)
        ],
    }
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
