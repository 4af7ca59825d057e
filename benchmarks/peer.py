"""Labels that nothing links to the faces: what our audit and what ShortKit-ML says of them, on the same 1,000 vectors.

    python3.11 -m venv peer && peer/bin/pip install shortkit-ml==0.1.0 'numpy<2'
    python -m benchmarks.peer RUN_FOLDER --peer-python peer/bin/python

RUN_FOLDER is a finished audit. The last rows are of the labels as they are, so that a tool that never says yes is seen too.
One line of Markdown per answer, in the form of benchmarks.calibration; a peer's answers are its own words.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import Codes, Faces, Floats, Rate, answers, ladder, rates
from benchmarks.worker import ROOT
from fer_audit.cluster.reduce import Rows, principal_space
from fer_audit.pack.types import STYLE_NAMES

IMAGES, COORDINATES = 1_000, 64


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some faces of a finished run, one copy of each."""

    vectors: Floats
    """(n, m) principal coordinates."""
    clusters: Codes
    """(n,)"""
    groups: Codes
    """(n,) the label as it is."""


def sample_of(run: Path, label: str, images: int = IMAGES) -> Sample:
    """Draw faces that have a cluster and the label."""
    from pyarrow import parquet

    table = parquet.read_table(run / "rows.parquet", columns=["sha256", "cluster", label])
    content, clusters, names = (column.to_numpy() for column in table.columns)
    once = np.unique(content.astype(str), return_index=True)[1]
    usable = [row for row in once if clusters[row] >= 0 and names[row] is not None]
    rows = np.sort(np.random.default_rng(0).choice(usable, images, replace=False))
    vectors = np.load(run / "embeddings.npy", mmap_mode="r", allow_pickle=False)[rows]
    space = principal_space(Rows(vectors, np.ones(images, np.bool_)), COORDINATES)
    groups = np.unique(names[rows].astype(str), return_inverse=True)[1]
    return Sample(space.project(vectors), clusters[rows], groups)


def shuffles(codes: Codes, runs: int) -> NDArray[np.integer]:
    """Return (runs, n) shuffled codes."""
    return np.random.default_rng(1).permuted(np.tile(codes, (runs, 1)), axis=1)


def ours(name: str, sample: Sample, labels: NDArray[np.integer]) -> Iterator[Rate]:
    """Yield how often the claim that (runs, n) labels follow the clusters passes rungs 1 to 3."""
    n = len(sample.clusters)
    nothing = np.zeros((n, len(STYLE_NAMES)), np.float32)
    faces = Faces((), nothing, sample.clusters, np.arange(n), np.arange(n))
    yield from rates(
        name,
        n,
        len(labels),
        lambda seed: answers(ladder(faces, labels[seed], (), seed=seed), ()),
    )


def theirs(python: Path, name: str, sample: Sample, labels: NDArray[np.integer]) -> Iterator[Rate]:
    """Yield how often ShortKit-ML says what; a target that a call wants is a shuffled balanced one."""
    runs, n = labels.shape
    targets = np.random.default_rng(2).permuted(np.tile(np.arange(n) % 2, (runs, 1)), axis=1)
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "in.npz"), Path(folder, "out.json")
        np.savez(given, vectors=sample.vectors, groups=labels, targets=targets)
        module = ["-W", "ignore", "-m", "benchmarks.baselines.shortkit", str(given), str(answer)]
        subprocess.run([str(python), *module], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        found = json.loads(answer.read_text(encoding="utf-8"))
    version = found.pop("version")
    for call, said in found.items():
        counts = Counter(f'says "{each["says"]}"' for each in said)
        counts.update(
            f"{key}: {each}" for one in said for key in ("raised", "silent") for each in one[key]
        )
        for words, yes in counts.items():
            yield Rate(name, n, f"ShortKit-ML {version}, {call}: {words}", yes, runs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer")
    parser.add_argument("run", type=Path, help="the output folder of an audit")
    parser.add_argument("--peer-python", type=Path, help="the interpreter that has ShortKit-ML")
    parser.add_argument("--label", default="race", help="the column that is shuffled")
    parser.add_argument("--runs", type=int, default=200)
    asked = parser.parse_args()
    sample = sample_of(asked.run, asked.label)
    tried = {
        f"{asked.label}, shuffled": shuffles(sample.groups, asked.runs),
        "two equal halves, shuffled": shuffles(np.arange(IMAGES) % 2, asked.runs),
        f"{asked.label} as it is": sample.groups[None],
    }
    print("| label | images | answer | yes (Monte-Carlo error) | runs |\n|---|---|---|---|---|")  # noqa: T201
    for name, labels in tried.items():
        found = [ours(name, sample, labels)]
        if asked.peer_python:
            # not resolved: a virtual environment's interpreter is a link to the one it was made from
            found.append(theirs(asked.peer_python.absolute(), name, sample, labels))
        for rate in chain(*found):
            print(rate.line(), flush=True)  # noqa: T201 - a table


if __name__ == "__main__":
    main()
