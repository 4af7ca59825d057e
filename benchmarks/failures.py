"""Does the audit name whom a model fails, and nobody where it fails nobody? Failures planted in a labelled run.

    python -m benchmarks.failures RUN_FOLDER      a run with --predict or --classify of a set with expressions and subjects

Each person gets one of two groups by lot. The model's answers stay as they are, or those about one group's images become
another class at a rate. One line of Markdown per rate: how often a test is below alpha = .05, and how often a cell of that
group, or of the other one, is named; with one Monte-Carlo error. The same with images counted as if nobody was named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import ALPHA, rates
from fer_audit.audit.models.audited import ANALYSIS
from fer_audit.audit.models.findings import shown_cells
from fer_audit.classify.types import Predictions, Predictor
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from tests.audit.inputs import attribute, dataset_of, inputs_of, rows_of

Codes = NDArray[np.integer]
RATES = (0.0, 0.1, 0.2, 0.4)
HEAD = "| model, rate | images | what is said | how often | lots |\n|---|---|---|---|---|"


def planted(
    label: Attribute, people: Codes, said: Predictions, rate: float, seed: int, *, named: bool
) -> Iterator[tuple[str, bool]]:
    """Yield what the audit says when the predictions of half the people are made wrong at a rate."""
    rng = np.random.default_rng([31, seed])
    half = rng.permutation(np.arange(people.max() + 1) % 2)[people]
    hit = (half == 1) & (rng.random(len(half)) < rate)
    other = (said.codes + rng.integers(1, len(said.classes), len(half))) % len(said.classes)
    codes = np.where(hit & said.ok, other, said.codes).astype(np.int16)
    columns = [label, attribute("half", half, ("spared", "failed"))]
    if named:
        names = [str(each) for each in range(int(people.max()) + 1)]
        columns.append(attribute("subject", people, names, "subject"))
    inputs = inputs_of(
        dataset_of(*columns),
        rows_of(len(half)),
        predictions=(_answers(said, codes),),
        config=AuditConfig.of(permutations=999, bootstraps=99, seed=seed),
    )
    (by,) = (each for each in ANALYSIS.run(inputs).models[0].by if each.attribute == "half")
    worse = {cell.group for cell, _ in shown_cells(by, ALPHA)}
    yield "gap in accuracy below alpha", by.accuracy_gap_p <= ALPHA
    yield "gap in recall below alpha", by.recall_gap_p <= ALPHA
    yield "a cell of the failed half named", "failed" in worse
    yield "a cell of the other half named", "spared" in worse


def _answers(said: Predictions, codes: NDArray[np.int16]) -> Predictions:
    return Predictions(
        said.about, said.classes, codes, None, said.ok, said.reasons, said.by, said.fingerprint
    )


def read_run(run: Path) -> tuple[Attribute, Codes, list[Predictions]]:
    """Return the expressions, the people and the predictions of a finished run, one copy of each image."""
    from pyarrow import parquet

    table = parquet.read_table(run / "rows.parquet")
    made = parquet.read_table(run / "predictions.parquet")
    once = np.unique(
        table["sha256"].to_numpy(zero_copy_only=False).astype(str), return_index=True
    )[1]

    def coded(column: list[str | None]) -> tuple[Codes, tuple[str, ...]]:
        words = sorted({word for word in column if word is not None})
        codes = [-1 if word is None else words.index(word) for word in column]
        return np.array(codes)[once], tuple(words)

    expression, names = coded(table["expression"].to_pylist())
    people, _ = coded(table["subject"].to_pylist())
    found = []
    for name in made.column_names:
        if name.endswith("_expression"):
            codes, classes = coded(made[name].to_pylist())
            ok, by = codes >= 0, Predictor(name.removesuffix("_expression"), "model", "ab" * 32)
            reasons = np.where(ok, "", "no_prediction")
            short = codes.astype(np.int16)
            found.append(
                Predictions("expression", classes, short, None, ok, reasons, by, "f" * 64)
            )
    return attribute("expression", expression, names, "label"), people, found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failures")
    parser.add_argument("run", type=Path, help="a finished run with predictions and subjects")
    parser.add_argument("--runs", type=int, default=400, help="lots for each rate")
    asked = parser.parse_args()
    label, people, found = read_run(asked.run)
    print(HEAD)  # noqa: T201 - a table
    for said in found:
        for rate in RATES:
            for named in (True, False) if rate == 0 else (True,):

                def run(
                    seed: int, said: Predictions = said, rate: float = rate, named: bool = named
                ) -> Iterator[tuple[str, bool]]:
                    return planted(label, people, said, rate, seed, named=named)

                words = f"{said.by.name}, {rate:.0%}".replace("%", " %")
                words += "" if named else ", nobody named"
                for line in rates(words, len(people), asked.runs, run):
                    print(line.line(), flush=True)  # noqa: T201 - a table


if __name__ == "__main__":
    main()
