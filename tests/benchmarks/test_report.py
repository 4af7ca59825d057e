"""README's table and chart are what the raw samples give, and say what there is to say."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import CASES
from benchmarks.chart import save_speed_chart
from benchmarks.machine import summary
from benchmarks.report import CHART, README, read_results, section, with_section
from tests.families import GUARDS

MACHINE = {"cpu": "Test CPU", "usable_cores": 2, "isa": ["avx2"], "load_average": [0.1, 0.2, 0.3]}
ROOT = Path(__file__).parents[2]


def told(label: str, group: str, seconds: list[float]) -> dict[str, Any]:
    rates = summary([10 / each for each in seconds])
    cosines = {"least_cosine": 0.9999999, "largest_difference": 1e-6}
    common = {
        "label": label,
        "group": group,
        "seconds": seconds,
        "agreement": cosines,
        "peak_bytes": 3e9,
    }
    return {**common, "summary": summary(seconds), "per_second": rates}


@pytest.fixture
def results() -> dict[str, Any]:
    """Give the results of a small race with a peer that fell out, and one that was loud."""
    peers = {
        "bare-fp32": told("the model alone", "model", [1.0, 1.1, 1.0]),
        "cold-fp32": told("fer-audit", "ours", [1.25, 1.1, 1.25]),
        "paper": told("the <paper> & co", "others", [2.0, 3.0, 2.0]),
        "torch": {"label": "torch", "group": "others", "skipped": "no | wheel\nfor this machine"},
    }
    race = {"repeats": 3, "warm_up": True, "peers": peers}
    ratios = [{"what": "cold beside the paper", "median": 1.6}]
    ending = {"machine": MACHINE, "command": "python -m benchmarks run", "not_measured": ["a GPU"]}
    return {"embed": {**race, "images": 10, "faces": "drawn", "ratios": ratios, **ending}}


def test_readme_says_what_the_results_say() -> None:
    readme = README.read_text(encoding="utf-8")

    assert with_section(readme, read_results(README.parent / "benchmarks" / "results")) == readme


def test_the_chart_shows_every_measured_peer_of_the_results() -> None:
    results = read_results(README.parent / "benchmarks" / "results")
    if "embed" not in results:
        pytest.skip("the case embed has no result yet")
    words = texts(CHART)

    for peer in results["embed"]["peers"].values():
        if "per_second" in peer:
            assert peer["label"] in words
            assert f"{peer['per_second']['median']:.1f}" in words


def test_only_what_lies_between_the_markers_is_written(results: dict[str, Any]) -> None:
    readme = README.read_text(encoding="utf-8")

    changed = with_section(readme, results)

    before, after = readme.partition("<!-- speed:")[0], readme.rpartition("end of speed -->")[2]
    assert changed.startswith(before)
    assert changed.endswith(after)
    assert with_section(changed, results) == changed
    with pytest.raises(ValueError, match="end of speed"):
        with_section("no markers", results)


def test_a_table_row_has_median_range_ratio_and_agreement(results: dict[str, Any]) -> None:
    text = section(results)

    assert "| fer-audit | 8.0 (8.0-9.1) | 0.80 x | 0.999999 | 3.00 GB |" in text
    assert "cold beside the paper: 1.60 x" in text
    assert "Not measured: a GPU." in text
    assert "2 cores of Test CPU (avx2), load 0.1 at the start." in text


def test_a_precision_that_rounds_is_told_by_its_error_rounded_up(results: dict[str, Any]) -> None:
    int8 = told("fer-audit, int8", "ours", [0.5, 0.5, 0.5])
    int8["agreement"] = {**int8["agreement"], "error_of_spread": 0.0781}
    results["embed"]["peers"]["cold-int8"] = int8

    text = section(results)

    assert "| fer-audit, int8 | 20.0 | 2.00 x | off by 7.9 % of the spread | 3.00 GB |" in text
    assert "| fer-audit | 8.0 (8.0-9.1) | 0.80 x | 0.999999 | 3.00 GB |" in text


def test_a_loud_spread_is_said_and_a_quiet_one_is_not(results: dict[str, Any]) -> None:
    lines = section(results).splitlines()

    assert [line for line in lines if "spread" in line] == [
        "| the <paper> & co | 5.0 (3.3-5.0, spread 33%) | 0.50 x | 0.999999 | 3.00 GB |"
    ]


def test_a_peer_that_fell_out_has_a_reason_and_no_number(results: dict[str, Any]) -> None:
    assert "| torch | not measured: no / wheel | | | |" in section(results)


def test_clusters_are_told_in_seconds_with_how_many_times_as_fast(results: dict[str, Any]) -> None:
    inertia = {"inertia": 1234567.0}
    peers = {
        "ours": {**told("fer-audit", "ours", [0.5, 0.6, 0.4]), "agreement": inertia},
        "sklearn-1": {**told("scikit-learn", "others", [5, 6, 4]), "agreement": inertia},
    }
    race = {"repeats": 3, "peers": peers, "ratios": [{"beside": "sklearn-1", "median": 10.0}]}
    lone = {
        **race,
        "repeats": 1,
        "peers": {"ours": {**told("fer-audit", "ours", [2.0]), "agreement": inertia}},
    }
    case = {**results["embed"], "shape": [20_000, 8], "vectors": "blobs"}

    text = section({"cluster": {**case, "races": {"k=4": race, "k=10": lone}}})

    assert (
        "| k=4, scikit-learn | 5.00 (4.00-6.00, spread 40%) | 10.0 x as fast | 1.2346e+06 |"
        in text
    )
    assert "| k=10, fer-audit | 2.00 |  | 1.2346e+06 |" in text
    assert "3 repeats at k=4, 1 repeat at k=10" in text


def test_what_comes_after_the_vectors_is_told_by_stage(results: dict[str, Any]) -> None:
    stages = [{"cluster": 2.0, "audit": 9.0}, {"cluster": 3.0, "audit": 8.0}]
    seconds = {"run": [12.0, 13.0], "again": [1.0, 1.0], "help": [0.1, 0.2]}
    measures: dict[str, Any] = {name: {"summary": summary(x)} for name, x in seconds.items()}
    measures["run"]["stages"] = stages
    measures["peak_bytes"] = {"summary": summary([4e8, 5e8])}
    case = {**results["embed"], "measures": measures, "images": 23_707, "faces": "UTKFace"}

    text = section({"after": case})

    assert "23,707 faces of UTKFace" in text
    assert "| clusters, audit, pictures and page, all of it | 12.5 (12.0-13.0) |" in text
    assert "| of it: audit | 8.5 (8.0-9.0) |" in text
    assert "Peak resident memory of the run: 0.50 GB." in text


def test_the_chart_is_small_text_and_the_same_every_time(
    results: dict[str, Any], tmp_path: Path
) -> None:
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    save_speed_chart(results["embed"], one)
    save_speed_chart(copy.deepcopy(results["embed"]), other)

    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size < 60_000
    assert {"fer-audit", "the <paper> & co", "8.0", "10.0"} <= texts(one)
    assert "torch" not in texts(one)
    assert "<dc:date>" not in one.read_text(encoding="utf-8")


def test_without_results_nothing_is_claimed() -> None:
    assert section({}) == "Nothing is measured yet: `make bench`.\n"


def test_every_result_in_the_folder_is_of_a_case_that_is_there() -> None:
    found = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.json")}

    assert found <= set(CASES)


def test_ci_runs_every_benchmark() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    ci = next(line for line in makefile.splitlines() if line.startswith("ci:"))

    assert "All of them" in ci
    assert "bench-smoke" in GUARDS


def texts(path: Path) -> set[str]:
    """Return every text of an SVG."""
    return {(each.text or "").strip() for each in ET.parse(path).getroot().iter() if each.text}
