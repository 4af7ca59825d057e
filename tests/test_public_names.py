"""What the package says of itself: the names it promises, its citation, and a start that loads little."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fer_audit
from fer_audit import __version__

PROMISED = {
    *("load_dataset", "run_audit", "read_result"),
    *("AuditConfig", "AuditResult", "FaceDataset", "Resources", "Run"),
    *("FerAuditError", "ConfigError", "ModelError", "DatasetError", "StoreError", "LockedError"),
    "__version__",
}


def test_all_is_what_we_promise_in_order() -> None:
    assert set(fer_audit.__all__) == PROMISED
    assert list(fer_audit.__all__) == sorted(fer_audit.__all__)


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(fer_audit, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'run_everything'"):
        fer_audit.run_everything  # noqa: B018 - the access is the test


def test_a_star_import_gives_exactly_the_public_names() -> None:
    names: dict[str, object] = {}

    exec("from fer_audit import *", names)

    assert set(names) - {"__builtins__"} == PROMISED


def test_importing_the_package_loads_no_numpy() -> None:
    code = "import sys, fer_audit; print('numpy' in sys.modules, 'onnxruntime' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("module", ["fer_audit.pipeline", "fer_audit.report.render.terminal"])
def test_a_warm_rerun_loads_no_library_that_only_new_work_needs(module: str) -> None:
    """It reads result.json and shows it; scipy.stats and scikit-learn would be a third of its time."""
    heavy = ("scipy", "sklearn", "matplotlib", "onnx", "pyarrow", "umap")
    code = f"import sys, {module}; print(*(x for x in {heavy!r} if x in sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []


ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def value(key: str) -> str:
    """Return a plain value of the first level; a YAML library is no dependency for one small file."""
    found = re.findall(rf'^{key}: "?(.+?)"?$', TEXT, re.MULTILINE)
    assert len(found) == 1, key
    return str(found[0])


def entries(key: str) -> list[str]:
    block = re.search(rf"^{key}:\n((?:  .*\n)+)", TEXT, re.MULTILINE)
    assert block is not None, key
    return [line.removeprefix("  - ") for line in block[1].splitlines()]


def test_the_version_is_the_package_s() -> None:
    assert value("version") == __version__


def test_what_the_format_requires_is_there() -> None:
    """Citation File Format 1.2.0: cff-version, message, title, authors."""
    assert value("cff-version") == "1.2.0"
    assert value("type") == "software"
    assert value("message")
    assert "fer-audit" in value("title")
    assert entries("authors") == ["name: The fer-audit authors"]


def test_licence_and_keywords_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert value("license") == project["license"]
    assert set(project["keywords"]) <= set(entries("keywords"))


def test_every_line_is_a_key_an_entry_or_the_folded_abstract() -> None:
    """No tabs, no line that a YAML reader would read as something else."""
    for line in TEXT.splitlines():
        assert re.fullmatch(r"[a-z-]+:( \S.*)?|  - \S.*|  [A-Za-z].*", line), line
