"""What is installed is what pyproject.toml asks for, and SECURITY.md names the same minima."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
ALWAYS = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(text) for text in texts]
    for name, texts in PROJECT["optional-dependencies"].items()
}
ALL = [*ALWAYS, *(each for extra in EXTRAS.values() for each in extra)]

_ENTRY = re.compile(r'^\s*(?:\w+ = \[)?"(?P<entry>[^"]+)".*?(?:#\s*(?P<reason>.+))?$')
_TOLD = re.compile(r"^- (?P<name>[a-z0-9-]+) (?P<minimum>[0-9.]+):", re.MULTILINE)


def minimum(requirement: Requirement) -> str:
    """Return the one lower or exact bound of a requirement."""
    bounds = [each for each in requirement.specifier if each.operator in {">=", "=="}]
    assert len(bounds) == 1, f"{requirement} has {len(bounds)} lower bounds"
    return bounds[0].version


@pytest.mark.parametrize(
    "requirement", {each.name: each for each in ALL}.values(), ids=lambda each: each.name
)
def test_what_is_installed_is_new_enough(requirement: Requirement) -> None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        pytest.skip(f"{requirement.name} is not for this system")
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        assert requirement not in ALWAYS
        pytest.skip(f"{requirement.name} is not installed")

    assert requirement.specifier.contains(found, prereleases=True)


def test_every_dependency_has_one_minimum() -> None:
    """Without one, the oldest release there ever was would do, with every hole it had."""
    for requirement in ALL:
        assert minimum(requirement)


def test_the_same_package_has_the_same_minimum_wherever_it_is_asked_for() -> None:
    found: dict[str, set[str]] = {}
    for requirement in ALL:
        found.setdefault(requirement.name, set()).add(minimum(requirement))

    assert not {name: bounds for name, bounds in found.items() if len(bounds) > 1}


def test_every_entry_has_its_reason_beside_it() -> None:
    start = TEXT.index("dependencies = [")
    lines = TEXT[start : TEXT.index("[project.scripts]")].splitlines()
    reasons = {found["entry"]: found["reason"] for line in lines if (found := _ENTRY.match(line))}

    assert len(reasons) >= len({str(each) for each in ALL})
    assert [entry for entry, reason in reasons.items() if not reason] == []


def test_security_md_names_the_minima_of_pyproject() -> None:
    told = dict(_TOLD.findall((ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    asked = {requirement.name: minimum(requirement) for requirement in ALL}

    assert set(told) >= {"filelock", "jinja2", "onnx", "pillow", "pyarrow"}
    assert told == {name: asked.get(name) for name in told}
