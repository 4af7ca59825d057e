"""--min-cell, from a run to everything that somebody may pass on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fer_audit.report.files.document import result_json
from tests.cli.conftest import Call
from tests.report.results import utkface

LEAST = 6


def told_counts(document: dict[str, Any]) -> list[int]:
    """Return every count of people in a result, of groups, clusters, both, and combinations."""
    found = [group["count"] for about in document["representation"] for group in about["groups"]]
    found += document["clustering"]["sizes"]
    for each in document["associations"]:
        found += [count for row in each["table"] for count in row]
        found += [cell["count"] for cell in each["cells"]]
    table = document["intersections"]
    found += table["counts"]
    found += [cell["count"] for name in ("smallest", "largest_gaps") for cell in table[name]]
    found += [group["count"] for check in document["subset_checks"] for group in check["groups"]]
    return [count for count in found if count is not None]


@pytest.fixture
def small(fer_audit: Call, faces: Path, quick: list[str], run_dir: Path) -> list[str | Path]:
    """Give a run on 24 drawn faces, of which no group is large, and the words that made it."""
    words: list[str | Path] = ["run", faces, *quick, "--k", "2", "--thumbnails", "2", "--quiet"]
    assert fer_audit(*words).code == 0
    return words


def test_everything_that_is_shown_of_a_run_can_be_made_to_be_shared(
    fer_audit: Call, small: list[str | Path], run_dir: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()}
    page = tmp_path / "shared.html"
    option = ("--min-cell", str(LEAST))

    as_json = fer_audit("report", run_dir, *option, "--json")
    short = fer_audit("report", run_dir, *option)
    shown = fer_audit("report", run_dir, *option, "--full", "--page", page)
    cards = [
        fer_audit("card", run_dir, *option, "--format", form) for form in ("markdown", "croissant")
    ]

    assert [each.code for each in (as_json, short, shown, *cards)] == [0] * 5
    assert "report.html" not in short.out, "the run's own page has every count"
    assert shown.out.splitlines()[-1] == f"  Page: {page}"
    document = json.loads(as_json.out)
    whole = json.loads(before[run_dir / "result.json"])
    assert any(0 < count < LEAST for count in told_counts(whole))
    assert not any(0 < count < LEAST for count in told_counts(document))
    table = document["intersections"]
    assert (table["empty"], table["under_30"]) == (None, None), "24 images in 24 cells: one each"
    html = page.read_text(encoding="utf-8")
    hidden = [
        group["name"]
        for about in document["representation"]
        if about["kind"] == "demographic"
        for group in about["groups"]
        if group["count"] is None
    ]
    assert hidden
    for name in hidden:
        rows = re.findall(rf"<th[^>]*>{re.escape(name)}</th>\s*<td[^>]*>([^<]*)</td>", html)
        assert rows
        assert set(rows) == {"[c]"}
    names = {path.name for path in Path(str(small[1])).iterdir()}
    for text in (as_json.out, short.out, shown.out, html, *(each.out for each in cards)):
        assert f"fewer than {LEAST} people" in " ".join(text.split())
        assert not any(name in text for name in names)
    assert "data:image/webp" not in html
    assert {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()} == before


def test_a_run_writes_its_own_page_to_be_shared_and_keeps_its_numbers(
    fer_audit: Call, small: list[str | Path], run_dir: Path
) -> None:
    result, pictures, page = (
        (run_dir / name).read_bytes() for name in ("result.json", "pictures.json", "report.html")
    )

    shared = fer_audit(*small[:-1], "--min-cell", str(LEAST))

    assert shared.code == 0
    assert f"fewer than {LEAST} people" in " ".join(shared.out.split())
    assert (run_dir / "result.json").read_bytes() == result
    assert (run_dir / "pictures.json").read_bytes() == pictures
    own = (run_dir / "report.html").read_text(encoding="utf-8")
    assert f"fewer than {LEAST} people" in own
    assert "data:image/webp" not in own

    whole = fer_audit(*small[:-1])

    assert whole.code == 0
    assert f"fewer than {LEAST} people" not in " ".join(whole.out.split())
    assert "[c]" not in fer_audit("report", run_dir, "--full").out
    assert b"[c]" not in (run_dir / "report.html").read_bytes()
    assert b"data:image/webp" in (run_dir / "report.html").read_bytes()
    assert b"data:image/webp" in page


def test_0_changes_no_byte_and_a_file_of_options_speaks_for_every_verb(
    fer_audit: Call, small: list[str | Path], run_dir: Path
) -> None:
    page = (run_dir / "report.html").read_bytes()
    verbs = (("report", run_dir), ("report", run_dir, "--json"), ("card", run_dir))

    for words in verbs:
        absent, zero = fer_audit(*words), fer_audit(*words, "--min-cell", "0")
        assert (absent.code, zero.code) == (0, 0)
        assert absent.out == zero.out
    as_json = fer_audit("report", run_dir, "--json", "--min-cell", "0")
    assert as_json.out.encode() == (run_dir / "result.json").read_bytes()
    assert fer_audit(*small, "--min-cell", "0").code == 0
    assert (run_dir / "report.html").read_bytes() == page

    Path("fer-audit.toml").write_text(f"min-cell = {LEAST}\n", encoding="utf-8")

    for words in verbs:
        assert f"fewer than {LEAST} people" in " ".join(fer_audit(*words).out.split())
        whole = " ".join(fer_audit(*words, "--min-cell", "0").out.split())
        assert f"fewer than {LEAST} people" not in whole
    assert "[c]" in fer_audit("report", run_dir, "--full").out
    assert "[c]" not in fer_audit("report", run_dir, "--full", "--min-cell", "0").out


def test_what_makes_no_sense_is_2(fer_audit: Call, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(result_json(utkface()), encoding="utf-8")
    (tmp_path / "DONE.json").write_text("{}")

    for words, said in (
        (("--min-cell", "1"), "must be 2 or more"),
        (("--min-cell", "-3"), "must be 2 or more"),
        (("--min-cell", "5", "--html"), "--page shared.html"),
    ):
        done = fer_audit("report", tmp_path, *words)
        assert done.code == 2
        assert said in done.err


def test_compare_refuses_where_the_settings_ask_for_what_it_cannot_withhold(
    fer_audit: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DONE.json").write_text("{}")
    Path("fer-audit.toml").write_text(f"min-cell = {LEAST}\n", encoding="utf-8")
    refused = fer_audit("compare", tmp_path, tmp_path)
    Path("fer-audit.toml").write_text("min-cell = 0\n", encoding="utf-8")
    off = fer_audit("compare", tmp_path, tmp_path)
    monkeypatch.setenv("FER_AUDIT_COMPARE_MIN_CELL", "5")
    by_environment = fer_audit("compare", tmp_path, tmp_path)

    for done in (refused, by_environment):
        assert done.code == 2
        assert "compare shows every count: it has no --min-cell" in done.err
    assert off.code == 3  # no run is there
    assert "min-cell" not in off.err


def test_a_kept_rule_whose_value_is_withheld_is_told_as_kept(
    fer_audit: Call, small: list[str | Path], run_dir: Path
) -> None:
    rule = ("--fail-on", "race.min_count<1", "--min-cell", str(LEAST))

    done = fer_audit(*small, *rule)

    assert done.code == 0
    assert "kept: race.min_count<1 (its value is withheld)" in done.err
    assert "not judged" not in done.err
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    row = page[page.index("race.min_count&lt;1") :][:300]
    assert "kept" in row
    assert "[c]" in row
