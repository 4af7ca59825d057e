"""A finished run read back for what mends a set: its labels, its people, its copies and its lists."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types import lists
from fer_audit.audit.types.compare import LabelColumn, RunRows
from fer_audit.audit.types.result import AuditResult
from fer_audit.errors import ConfigError
from fer_audit.report.files.read_run import (
    map_run_vectors,
    read_finished_result,
    read_run_rows,
    read_subjects,
)
from fer_audit.text import listed, name_meant, visible

CLUSTER = "cluster"


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a run directory says of each image. Row i is image i in every array."""

    folder: Path
    result: AuditResult
    rows: RunRows
    subjects: tuple[LabelColumn, ...]
    vectors: NDArray[np.floating[Any]] | None
    """(n, d) memory map; None = they were removed."""

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each attribute that is compared."""
        return {each.attribute: each.kind for each in self.result.representation}

    @cached_property
    def people(self) -> tuple[LabelColumn, ...]:
        """The columns about people and expressions, without those that a map made of another."""
        mapped = {pair[1] for pair in self.result.config.dataset.map}
        return tuple(
            each
            for each in self.rows.labels
            if self.kinds[each.name] in ("demographic", "label") and each.name not in mapped
        )

    @cached_property
    def clusters(self) -> LabelColumn:
        """The clusters as a column."""
        facts = self.result.clustering
        names = tuple(f"cluster {number}" for number in range(0 if facts is None else facts.k))
        return LabelColumn(CLUSTER, names, self.rows.clusters)

    def column(self, name: str) -> LabelColumn:
        """Return a column, or the clusters, also by the name that reports display for it, or by the end of a batch's, hour for crawl_hour.

        Raises ConfigError for one that there is not.
        """
        columns = (*self.rows.labels, *self.subjects)
        if self.clusters.groups:
            columns = (self.clusters, *columns)
        meant = name_meant(name, [each.name for each in columns])
        exact = [each for each in columns if each.name == meant]
        found = exact or [
            each
            for each in columns
            if self.kinds.get(each.name) == "batch" and each.name.endswith(f"_{name}")
        ]
        if len(found) != 1:
            raise ConfigError(
                f"{self.folder} has no column {name}",
                hint=f"It has {listed([each.name for each in columns])}.",
            )
        return found[0]

    def named_in(self, path: str) -> NDArray[np.bool_]:
        """Return the (n,) mask of the images that a list of the run names; none where there is no such list."""
        found = np.zeros(len(self.rows.ids), np.bool_)
        found[[row for row, _ in self._listed(path)]] = True
        return found

    @cached_property
    def near_groups(self) -> NDArray[np.int64]:
        """(n,) group of near-identical images, -1 for none."""
        groups = np.full(len(self.rows.ids), -1, np.int64)
        for row, line in self._listed(lists.NEAR_DUPLICATES):
            groups[row] = int(line["group"])
        return groups

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {visible(each): row for row, each in enumerate(self.rows.ids)}

    def _listed(self, path: str) -> Iterable[tuple[int, dict[str, str]]]:
        """Yield the (row, line) of each image of a list that the run has."""
        file = self.folder / path
        if not file.is_file():
            return
        with file.open(encoding="utf-8", newline="") as lines:
            plain = path.endswith(".txt")
            table: Iterable[dict[str, str]] = (
                ({"id": line.rstrip("\n")} for line in lines) if plain else csv.DictReader(lines)
            )
            for line in table:
                name = visible(line["id"])
                row = self._row_of.get(name, self._row_of.get(name.removeprefix("'")))
                if row is not None:
                    yield row, line


def read_run(folder: Path) -> FinishedRun:
    """Read a finished run; StoreError when something is missing or was changed."""
    result = read_finished_result(folder)
    path = folder / "rows.parquet"
    rows = read_run_rows(path, result)
    vectors = map_run_vectors(folder / "embeddings.npy", len(rows.ids))
    return FinishedRun(folder, result, rows, read_subjects(path, result), vectors)
