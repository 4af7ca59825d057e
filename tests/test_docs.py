"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fer_audit.cli.app import COMMANDS
from fer_audit.encoders.types import ExportedModel
from tests.readme import README, ROOT, blocks, commands, needs_a_kept_run, refuse_failure, stand_in


def test_every_command_of_the_readme_about_a_kept_run_works(
    faces: Path, tiny_model: ExportedModel, tmp_path: Path
) -> None:
    """In the order a newcomer types them; only the folder and the network are replaced by small ones."""
    lines = [line for line in commands() if needs_a_kept_run(line)]
    assert len(lines) >= 8
    stand_in(tmp_path, faces, tiny_model)

    for line in lines:
        refuse_failure(line, tmp_path)


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
