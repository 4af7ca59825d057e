"""fer-audit gate: the same verdict in each format, and a run that stays as it was."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from fer_audit.cli.gate import Verdict, github_line, summary
from tests.cli.conftest import Call

PAGE = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
CROSSED, KEPT = "dataset.listed>20", "race.min_share<0"


def bytes_of(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_the_verdict_is_the_exit_code_in_each_format_and_the_run_stays_as_it_was(
    fer_audit: Call, kept_run: Path, form: str
) -> None:
    before = bytes_of(kept_run)

    fine = fer_audit("gate", kept_run, "--rule", KEPT, "--format", form)
    crossed = fer_audit("gate", kept_run, "--rule", KEPT, "--rule", CROSSED, "--format", form)

    assert (fine.code, crossed.code) == (0, 1)
    assert fine.err == crossed.err == ""
    if form == "json":
        found = json.loads(crossed.out)
        assert (found["schema"], found["crossed"]) == ("fer-audit/gate/1", 1)
        assert [each["verdict"] for each in found["rules"]] == ["kept", "crossed"]
        assert found["rules"][1]["value"] == 24
    else:
        kept, other = crossed.out.splitlines()
        assert kept.startswith(f"kept: {KEPT} (it is 0.")
        mark = "::error title=fer-audit gate::" if form == "github" else ""
        assert other == f"{mark}crossed: {CROSSED} (it is 24)"
    assert bytes_of(kept_run) == before


def test_a_rule_looks_at_the_number_of_the_result(fer_audit: Call, kept_run: Path) -> None:
    result = json.loads((kept_run / "result.json").read_text(encoding="utf-8"))
    (named,) = (x for x in result["associations"] if x["attribute"] == "race")

    found = json.loads(
        fer_audit("gate", kept_run, "--rule", "race.strength>=0", "--format", "json").out
    )

    assert found["rules"][0]["value"] == named["v_corrected"]


def test_flags_a_file_and_the_settings_count_together_and_none_is_2(
    fer_audit: Call, kept_run: Path, tmp_path: Path
) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(f'rules = ["{KEPT}"]\n')
    assert fer_audit("gate", kept_run).code == 2
    assert fer_audit("gate", kept_run, "--rules", path).code == 0
    assert fer_audit("gate", kept_run, "--rules", path, "--rule", CROSSED).code == 1

    Path("fer-audit.toml").write_text(f'fail-on = ["{CROSSED}"]\nformat = "utkface"\n')

    assert fer_audit("gate", kept_run).out == f"crossed: {CROSSED} (it is 24)\n"


@pytest.mark.parametrize(
    "text",
    [
        *("rules = 3\n", "rules = [3]\n", "[rules]\n", "rule = ['dataset.ok<1']\n", ""),
        *(
            "rules = ['dataset.ok<1']\nother = 1\n",
            "rules = ['dataset.ok']\n",
            "\udcff",
            "rules =",
        ),
    ],
)
def test_a_file_that_is_no_list_of_rules_is_2(
    fer_audit: Call, kept_run: Path, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "gate.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    done = fer_audit("gate", kept_run, "--rules", path)

    assert (done.code, done.out) == (2, "")
    assert fer_audit("gate", kept_run, "--rules", tmp_path / "nowhere").code == 2


@pytest.mark.parametrize("rule", ["race.left.nothing>0", "sex.v>0", "race.vv>0", "crawl_hour>0"])
def test_a_rule_on_what_the_run_does_not_have_is_2(
    fer_audit: Call, kept_run: Path, rule: str
) -> None:
    """A misspelt rule that crosses nothing would pass for ever."""
    done = fer_audit("gate", kept_run, "--rule", rule)

    assert (done.code, done.out) == (2, "")
    assert "^" in done.err


def test_what_is_no_finished_run_or_was_changed_is_3(fer_audit: Call, finished: Path) -> None:
    assert fer_audit("gate", finished / "nowhere", "--rule", KEPT).code == 3
    with (finished / "result.json").open("a") as file:
        file.write(" ")
    assert fer_audit("gate", finished, "--rule", KEPT).code == 3


def test_a_rule_without_a_value_is_a_warning_and_crosses_nothing(
    fer_audit: Call, kept_run: Path
) -> None:
    """24 images are too few for some of these."""
    rules = [f"race.{name}>9" for name in ("rung", "homophily_gain", "p_holm", "u")]
    rules += ["clustering.min_jaccard>9", "clustering.ari>9"]
    flags = [word for rule in rules for word in ("--rule", rule)]

    found = json.loads(fer_audit("gate", kept_run, *flags, "--format", "json").out)["rules"]
    lines = fer_audit("gate", kept_run, *flags, "--format", "github").out.splitlines()

    assert {each["verdict"] for each in found} == {"kept", "not judged"}
    for each, line in zip(found, lines, strict=True):
        assert line.startswith("::warning ") is (each["verdict"] == "not judged")
        assert (each["value"] is None) is (each["verdict"] == "not judged")


def test_what_a_rule_says_cannot_become_a_command_or_markup() -> None:
    """A runner takes %0A for a line, and every line that begins with :: for a command."""
    evil = Verdict("a%0A::set-env\n::stop|<b>.v>1", "crossed", 2.0, "it is 2")

    line, page = github_line(evil), summary([evil], "x|*y*\n# z")

    assert "\n" not in line
    assert line.startswith("::error title=fer-audit gate::crossed: a%250A::set-env")
    assert len(page.rstrip().splitlines()) == 5
    assert re.search(r"(?<!\\)[<*]", page) is None
    assert len(re.findall(r"(?<!\\)\|", page.splitlines()[4])) == 4
    assert not github_line(Verdict("::x.v>1", "kept", 1.0, "")).startswith("::")


def test_a_workflow_gets_a_table_after_what_is_in_its_summary_already(
    fer_audit: Call, kept_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))

    fer_audit("gate", kept_run, "--rule", CROSSED)
    assert path.read_text() == "before\n", "only in its own format"
    done = fer_audit("gate", kept_run, "--rule", CROSSED, "--rule", KEPT, "--format", "github")

    assert done.code == 1
    before, title, _, *table = path.read_text().rstrip().splitlines()
    assert (before, title) == ("before", "## fer-audit gate, faces: 1 of 2 rules crossed")
    assert table[0] == "| verdict | rule | found |"
    assert len(table) == 4

    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "summary.md"))
    assert fer_audit("gate", kept_run, "--rule", KEPT, "--format", "github").code == 3


def test_a_value_that_reveals_a_small_count_is_withheld_and_still_counts(
    fer_audit: Call, kept_run: Path
) -> None:
    done = fer_audit("gate", kept_run, "--rule", "race.min_count<5", "--min-cell", "6")

    assert done.code == 1
    assert done.out == "withheld: race.min_count<5 (its verdict could reveal a small count)\n"
    Path("fer-audit.toml").write_text("min-cell = 6\n")
    assert fer_audit("gate", kept_run, "--rule", "race.min_count<5") == done


def test_other_rules_for_a_finished_run_leave_its_work_alone(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    """`run --fail-on` writes what the rules found, and neither reads, counts nor draws anything for it."""
    fer_audit("run", faces, *quick)
    before, result = bytes_of(run_dir), json.loads((run_dir / "result.json").read_bytes())

    done = fer_audit("run", faces, *quick, "--fail-on", CROSSED)

    after, again = bytes_of(run_dir), json.loads((run_dir / "result.json").read_bytes())
    changed = {path.name for path in after if before.get(path) != after[path]}
    assert (done.code, done.err) == (1, f"fer-audit: crossed: {CROSSED} (it is 24)\n")
    assert changed == {"result.json", "report.html", "timings.json", "DONE.json"}
    assert {key for key in again if again[key] != result[key]} == {"gate", "findings", "config"}


def workflow_steps(text: str) -> list[dict[str, Any]]:
    """Return the steps of the one job of a workflow, read by PyYAML or, where there is none, by its indentation."""
    if importlib.util.find_spec("yaml"):
        (job,) = importlib.import_module("yaml").safe_load(text)["jobs"].values()
        return list(job["steps"])
    before, steps = text.split("    steps:\n")
    assert re.fullmatch(r"name: \w+\non: \[\w+\]\njobs:\n  \w+:\n    runs-on: \S+\n", before)
    lines = steps.splitlines()
    assert all(re.fullmatch(r"(      - |        |          )[\w-]+:( \S.*)?", x) for x in lines)
    return [dict([line[8:].split(": ", 1)]) for line in lines if line[6] == "-"]


def test_the_workflow_and_every_command_of_the_docs_work(
    fer_audit: Call, kept_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    Path("gate.toml").write_text(blocks["toml"])
    for name in ("faces", "utkface"):
        shutil.copytree(kept_run, Path("runs") / name)
    steps = workflow_steps(blocks["yaml"])
    gates = [each["run"] for each in steps if "gate " in each.get("run", "")]
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")

    assert all(("uses" in each) != ("run" in each) for each in steps)
    assert len(gates) == 1
    for line in [*blocks["bash"].splitlines(), *gates]:
        program, *words = shlex.split(line)
        done = fer_audit(*words)
        assert program == "fer-audit"
        assert done.code in {0, 1}, f"{line}\n{done.err}"
        assert (done.code == 1) is bool(re.search(r'crossed: \w|"crossed": [1-9]', done.out))
    assert "rules crossed" in Path("summary.md").read_text()
