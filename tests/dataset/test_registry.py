"""The list of formats, and what is generated from it."""

from __future__ import annotations

from pathlib import Path

from fer_audit.dataset.formats.registry import FORMATS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_format_as_the_registry_does() -> None:
    for form in FORMATS:
        row = f"| {form.title} (`{form.name}`) | {form.about} | {form.gives} | {form.terms} |\n"
        assert row in README, form.name


def test_what_always_fits_comes_last() -> None:
    names = [form.name for form in FORMATS]

    assert len(set(names)) == len(names)
    assert names[-2:] == ["table", "folder"]
