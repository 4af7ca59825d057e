"""Properties of any mixture of good and broken files and labels: invariants I2, I9 and I10.

Every listed file has one row, counts add up, the exit code tells the truth, and no report of a part calls itself whole.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.encoders.types import ExportedModel
from fer_audit.pack.rows import empty_rows
from fer_audit.report.files.document import parse_result, result_json
from fer_audit.report.files.read_run import read_finished_result
from fer_audit.report.report import ALARM, report_page
from tests.audit.inputs import audit_dataset
from tests.drawings import draw_face
from tests.faults.conftest import QUICK
from tests.pack.files import encoded, png

KINDS: dict[str, bytes | None] = {
    "good": b"",
    "empty": b"",
    "page": b"<html><body>404</body></html>",
    "cut": encoded(draw_face(3), "PNG")[:200],
    "bomb": png(30_000, 30_000, b"\0" * 50, colour=0),
    "link": None,
    "pipe": None,
    "missing": None,
}
"""What a file is; `missing` stands in the table only."""
REASON = {
    "empty": {"empty"},
    "page": {"format_not_allowed"},
    "cut": {"truncated", "corrupt"},
    "bomb": {"too_large"},
    "link": {"missing"},
    "pipe": {"missing"},
    "missing": {"missing"},
}
WORDS = ("a", "b", "c", "", "NA", "=1+1", "\u202eevil", "<b>")


@dataclass(frozen=True)
class Mixture:
    """Files, by number, with what they are and how they are labelled."""

    files: tuple[tuple[str, str], ...]
    """(kind, label) of each file."""
    rubbish: int
    """Lines of the table that name nothing."""
    accepted: float
    """--max-errors"""

    @property
    def failing(self) -> int:
        return sum(kind != "good" for kind, _ in self.files)

    @property
    def code(self) -> int:
        """The exit code that tells the truth."""
        if self.failing == len(self.files):
            return 3
        return 4 if self.failing > self.accepted * len(self.files) else 0


mixtures = st.builds(
    Mixture,
    st.lists(
        st.tuples(
            st.one_of(st.just("good"), st.sampled_from(sorted(KINDS))), st.sampled_from(WORDS)
        ),
        min_size=1,
        max_size=14,
    ).map(tuple),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.01, 0.25, 0.5, 1.0]),
)


def name_of(number: int) -> str:
    return f"{number * 7 % 15:02d}-{number}.jpg"


def write(mixture: Mixture, root: Path) -> Path:
    """Write the files and the table, whose lines are in no order, and return its path."""
    root.mkdir()
    lines = ["path,race", *(",x" for _ in range(mixture.rubbish))]
    for number, (kind, word) in enumerate(mixture.files):
        path = root / name_of(number)
        if kind == "good":
            draw_face(number).save(path)
        elif kind == "link":
            path.symlink_to("/etc/hostname")
        elif kind == "pipe":
            os.mkfifo(path)
        elif (data := KINDS[kind]) is not None:
            path.write_bytes(data)
        lines.append(f"{path.name},{word}")
    table = root / "labels.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


@contextmanager
def new_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mixture-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def call(*words: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    from fer_audit.cli.app import main

    before = sys.argv
    sys.argv = ["fer-audit", *map(str, words)]
    try:
        main()
    except SystemExit as exc:
        return int(exc.code or 0)
    finally:
        sys.argv = before


@settings(
    max_examples=8 if os.environ.get("ALL") else 2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mixture=mixtures)
@example(mixture=Mixture((("good", "a"), ("good", "b")) * 3, 2, 0.0))
@example(mixture=Mixture((("good", "a"), ("good", "b"), ("cut", "a")) * 3, 0, 0.25))
@example(mixture=Mixture((("good", "a"), ("good", "b"), ("cut", "a")) * 3, 0, 0.5))
@example(mixture=Mixture((("empty", "a"), ("bomb", "b"), ("missing", "c")), 1, 1.0))
@pytest.mark.core
def test_any_mixture_has_one_row_a_file_true_counts_and_a_true_exit_code(
    mixture: Mixture, tiny_model: ExportedModel, capfd: pytest.CaptureFixture[str]
) -> None:
    with new_folder() as home:
        table = write(mixture, home / "set")
        out = home / "run"

        code = call(
            *("run", table, "--model", tiny_model.path, "--cache-dir", home / "cache"),
            *("--out", out, "--max-errors", str(mixture.accepted), *QUICK),
        )

        told = capfd.readouterr()
        nothing_there = all(kind in {"link", "pipe", "missing"} for kind, _ in mixture.files)
        assert code == (3 if nothing_there else mixture.code), told.err
        if code == 3:
            assert not (out / "report.html").exists()
            assert not (out / "result.json").exists()
            return
        check_rows(mixture, out)
        check_result(mixture, out)


def check_rows(mixture: Mixture, out: Path) -> None:
    rows = parquet.read_table(out / "rows.parquet").to_pylist()

    kinds = {name_of(number): kind for number, (kind, _) in enumerate(mixture.files)}
    assert [row["id"] for row in rows] == sorted(kinds)
    for row in rows:
        kind = kinds[row["id"]]
        assert row["ok"] == (kind == "good")
        assert row["reason"] in REASON.get(kind, {None})
    vectors = np.load(out / "embeddings.npy")
    assert np.isfinite(vectors).all()
    assert [bool(vector.any()) for vector in vectors] == [row["ok"] for row in rows]


def check_result(mixture: Mixture, out: Path) -> None:
    result = read_finished_result(out)

    facts = result.dataset
    assert facts.listed == len(mixture.files) == facts.ok + facts.failed
    assert facts.failed == mixture.failing == sum(each.count for each in facts.failures)
    rejects = {each.reason: each.count for each in facts.rejects}
    assert rejects == ({"path_empty": mixture.rubbish} if mixture.rubbish else {})
    words = Counter(word for _, word in mixture.files if word not in {"", "NA"})
    for each in result.representation:
        assert {group.name: group.count for group in each.groups if group.count} == words
    assert result.complete
    assert result.clustering is not None or result.not_computable
    page = (out / "report.html").read_text(encoding="utf-8")
    assert ALARM not in page


def test_the_order_of_a_table_and_of_the_folder_changes_nothing(
    tmp_path: Path, tiny_model: ExportedModel, capfd: pytest.CaptureFixture[str]
) -> None:
    files = tuple((kind, WORDS[i % 3]) for i, kind in enumerate([*KINDS, "good", "good", "good"]))
    places = ("--model", tiny_model.path, "--cache-dir", tmp_path / "cache")
    table = write(Mixture(files, 1, 1.0), tmp_path / "set")
    options = ("--max-errors", "1", *QUICK)
    assert call("run", table, "--out", tmp_path / "one", *places, *options) == 0, (
        capfd.readouterr()
    )
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([header, *reversed(lines)]) + "\n", encoding="utf-8")

    assert call("run", table, "--out", tmp_path / "two", *places, *options) == 0, (
        capfd.readouterr()
    )

    for name in ("rows.parquet", "embeddings.npy"):
        one, two = ((tmp_path / run / name).read_bytes() for run in ("one", "two"))
        assert one == two, name


@pytest.mark.core
def test_what_is_made_of_a_part_says_so_wherever_it_is_shown(tmp_path: Path) -> None:
    """Only the library can stop before the vectors: then the result, the page and every reader say so."""
    root = tmp_path / "set"
    write(Mixture((("good", "a"),) * 3, 0, 0.0), root)
    dataset = load_dataset(root / "labels.csv")
    rows = empty_rows(len(dataset))
    rows.ok[:] = True

    part = audit_dataset(dataset, rows, config=AuditConfig.of(permutations=20, bootstraps=20))

    text = result_json(part)
    assert '"complete": false' in text
    assert parse_result(text).complete is False
    assert ALARM in report_page(part)
