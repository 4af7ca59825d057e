"""Adding an analysis touches four files: its own, its section, and a row in each of the two lists."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel

PACKAGE = Path(__file__).resolve().parents[1] / "fer_audit"
TOY_ANALYSIS = '''
"""How many images have an odd row number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.result import NO_CORRECTION, AuditResult, Finding, LedgerEntry


@dataclass(frozen=True, slots=True)
class Toy:
    odd: int


def _run(inputs: AuditInputs) -> Toy:
    return Toy(len(inputs.dataset) // 2)


def _findings(result: AuditResult) -> Iterator[Finding]:
    yield Finding("toy", "fine", f"{result.part('toy').odd} images have an odd number.")


def _ledger(toy: Toy) -> Iterator[LedgerEntry]:
    yield LedgerEntry("toy", "odd numbers", "none", 0.5, None, NO_CORRECTION)


ANALYSIS = Analysis(
    name="toy", record=Toy, run=_run, needs=("usable",), findings=_findings, ledger=_ledger
)
'''
TOY_SECTION = '''
"""How many images have an odd row number, in words."""

from __future__ import annotations

from fer_audit.report.blocks import Prose, Section
from fer_audit.report.view import View


def toy(view: View) -> Section | None:
    """Return the toy's section."""
    return Section("toy", "The toy", (Prose(f"Odd rows: {view.result.part('toy').odd}."),))
'''
RUN = """
import sys
from pathlib import Path
from fer_audit.audit.types.result import AUDIT_SCHEMA
from fer_audit.config import AuditConfig, Resources
from fer_audit.pipeline import run_audit
from fer_audit.report.files.document import read_result
from fer_audit.synth.folder import write_demo

here = Path(sys.argv[1])
write_demo(here / "demo", 40)
config = AuditConfig.of(
    model=sys.argv[2], k=2, starts=1, sweep_max=2, permutations=9, bootstraps=9, replay=0
)
run_audit(here / "demo", here / "run", config=config, resources=Resources(cache_dir=here / "cache"))
assert read_result(here / "run" / "result.json").part("toy").odd == 20
"""


def contents(package: Path) -> dict[str, str]:
    return {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in package.rglob("*.py")
    }


def put(path: Path, **replacements: str) -> None:
    """Put a line before another, once."""
    text = path.read_text(encoding="utf-8")
    for line, added in replacements.items():
        assert text.count(line) == 1, line
        text = text.replace(line, added + line)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the package with one analysis and its section more."""
    package = tmp_path_factory.mktemp("grown") / "fer_audit"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "audit/space/toy.py").write_text(TOY_ANALYSIS, encoding="utf-8")
    (package / "report/sections/toy.py").write_text(TOY_SECTION, encoding="utf-8")
    put(
        package / "audit/analyses.py",
        **{
            "\nANALYSES:": "from fer_audit.audit.space import toy\n",
            "    replay.PUBLISHED,\n": "    toy.ANALYSIS,\n",
        },
    )
    put(
        package / "report/report.py",
        **{
            "from fer_audit.report.view import View\n": "from fer_audit.report.sections.toy import toy\n",
            '    ("method", method),\n)': '    ("method", toy),\n',
        },
    )
    return package


def test_four_files_are_touched(grown: Path) -> None:
    before, after = contents(PACKAGE), contents(grown)

    touched = [name for name in after if after[name] != before.get(name)]

    assert len(touched) == 4
    assert before.keys() <= after.keys()


def test_the_new_analysis_is_in_the_result_the_findings_the_ledger_and_the_page(
    grown: Path, tmp_path: Path, tiny_model: ExportedModel
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(grown.parent)}

    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(tiny_model.path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["toy"] == {"odd": 20}
    assert list(result)[-1] == "toy"
    assert "20 images have an odd number." in [each["text"] for each in result["findings"]]
    assert "toy" in [each["family"] for each in result["ledger"]]
    assert "Odd rows: 20." in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
