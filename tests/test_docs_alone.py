"""The README's commands that need no run of an earlier one; in a file of their own, for a file is one core's work."""

from __future__ import annotations

from pathlib import Path

from fer_audit.encoders.types import ExportedModel
from tests.readme import commands, needs_a_kept_run, refuse_failure, stand_in


def test_every_other_command_of_the_readme_runs(
    faces: Path, tiny_model: ExportedModel, tmp_path: Path
) -> None:
    lines = [line for line in commands() if not needs_a_kept_run(line)]
    assert len(lines) >= 8
    stand_in(tmp_path, faces, tiny_model)

    for line in lines:
        refuse_failure(line, tmp_path)
