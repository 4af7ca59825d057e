"""What the documents say is what the program does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fer_audit.cli.app import COMMANDS
from fer_audit.encoders.types import ExportedModel

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_every_command_of_the_readme_runs(
    faces: Path, tiny_model: ExportedModel, tmp_path: Path
) -> None:
    """In the order a newcomer types them; only the folder and the network are replaced by small ones."""
    (tmp_path / "path" / "to").mkdir(parents=True)
    (tmp_path / "path" / "to" / "UTKFace").symlink_to(faces)
    (tmp_path / "fer-audit.toml").write_text(
        f'model = "{tiny_model.path}"\ncache-dir = "{tmp_path / "cache"}"\n'
        "permutations = 200\nbootstraps = 50\nsweep-max = 4\n"
    )
    lines = [line for block in blocks("bash") for line in block.splitlines() if line]
    assert len(lines) >= 8

    for line in lines:
        program, *words = shlex.split(line.split(" > ")[0])
        assert program == "fer-audit", line
        done = subprocess.run(
            [sys.executable, "-m", "fer_audit.cli", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert done.stdout, line


def test_the_readme_names_every_verb() -> None:
    for verb in COMMANDS:
        assert f"fer-audit {verb}" in README, verb


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_help_of_every_verb_ends_in_an_example(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fer_audit.cli", verb, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert re.search(rf"Examples?:\n\s+fer-audit {verb}", done.stdout), done.stdout


def test_the_library_example_of_the_readme_uses_only_public_names() -> None:
    import fer_audit

    for block in blocks("python"):
        for names in re.findall(r"from fer_audit import (.*)", block):
            for name in names.split(","):
                assert name.strip() in fer_audit.__all__
        compile(block, "README.md", "exec")


def test_every_file_that_the_readme_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
