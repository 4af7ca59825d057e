"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import fer_audit as package
from fer_audit.cli.app import COMMANDS
from fer_audit.encoders.types import ExportedModel
from tests.cli.conftest import Call

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

KEPT_RUNS = ("runs/utkface", "runs/gated")
"""Run directories that several commands of the tour work on."""


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("kept", [True, False])
def test_every_command_of_the_readme_works(
    fer_audit: Call, faces: Path, tiny_model: ExportedModel, cache_dir: Path, kept: bool
) -> None:
    """In the order a newcomer types them; only the folder and the network are replaced by small ones."""
    commands = [line for block in blocks("bash") for line in block.splitlines() if line]
    lines = [line for line in commands if any(run in line for run in KEPT_RUNS) is kept]
    assert len(lines) >= 8
    Path("path/to").mkdir(parents=True)
    Path("path/to/UTKFace").symlink_to(faces)
    Path("fer-audit.toml").write_text(
        f'model = "{tiny_model.path}"\ncache-dir = "{cache_dir}"\n'
        "permutations = 50\nbootstraps = 20\nstarts = 2\nsweep-max = 3\nreplay = 5\n"
        "repeats = 1\n"
    )

    for line in lines:
        program, *words = shlex.split(line.split(" > ")[0])
        assert program == "fer-audit", line
        done = fer_audit(*words)
        assert done.code == 0, f"{line}\n{done.err}"
        assert done.out, line
    if kept:
        _read_rows_as_the_readme_says()


def _read_rows_as_the_readme_says() -> None:
    """Run the README's line for pandas, and the one for Hugging Face's datasets where that is installed."""
    n = pq.read_metadata("runs/utkface/rows.parquet").num_rows
    lines = [line for block in blocks("python") for line in block.splitlines() if "rows =" in line]
    assert [line.split()[2].split(".")[0] for line in lines] == ["pandas", "datasets"]
    for line in lines:
        library = line.split()[2].split(".")[0]
        if find_spec(library) is not None:
            names = {library: import_module(library)}
            exec(line, names)
            assert len(names["rows"]) == n


def test_the_readme_names_every_verb() -> None:
    for verb in COMMANDS:
        assert f"fer-audit {verb}" in README, verb


def test_the_library_example_of_the_readme_uses_only_public_names() -> None:
    for block in blocks("python"):
        for names in re.findall(r"from fer_audit import (.*)", block):
            assert {name.strip() for name in names.split(",")} <= set(package.__all__)
        compile(block, "README.md", "exec")


def test_every_file_that_the_readme_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
