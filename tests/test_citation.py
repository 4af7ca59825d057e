"""CITATION.cff says what the package says of itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from fer_audit import __version__

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
