"""Tab in a real shell: the verb, the option and the value that a half-typed command can go on with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

SCRIPTS = {
    "bash": """
        eval "$(_FER_AUDIT_COMPLETE=bash_source fer-audit)"
        complete -p fer-audit >&2
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fer_audit_completion fer-audit
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { print -u2 -- "$@" }
        _describe() { print -l -- ${completions_with_descriptions%%:*} }
        compadd() { print -l -- $completions }
        eval "$(_FER_AUDIT_COMPLETE=zsh_source fer-audit)"
        words=("$@"); CURRENT=$#; _fer_audit_completion
    """,
    "fish": """
        _FER_AUDIT_COMPLETE=fish_source fer-audit | source
        complete -c fer-audit >&2
        complete -C "$argv" | string replace -r '\\t.*' ''
    """,
}
FLAGS = {"bash": ("--norc",), "zsh": ("-f",), "fish": ("--no-config",)}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("re", {"report"}),
        ("c", {"cluster", "compare", "card"}),
        ("run --permu", {"--permutations"}),
        ("run --layout fer", {"fer2013", "ferplus"}),
    ],
)
@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_completes_verbs_options_and_values(
    tmp_path: Path, shell: str, words: str, found: set[str]
) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "fer-audit").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m fer_audit.cli "$@"\n'
    )
    (tmp_path / "fer-audit").chmod(0o755)
    path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
    before = () if shell == "fish" else (shell,)

    done = subprocess.run(
        [program, *FLAGS[shell], "-c", SCRIPTS[shell], *before, "fer-audit", *words.split()],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
        check=False,
    )

    assert set(done.stdout.split()) == found, done.stderr
    assert "fer-audit" in done.stderr, "the shell knows whom to ask"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_readme_says_how_it_is_switched_on(shell: str) -> None:
    assert f"_FER_AUDIT_COMPLETE={shell}_source fer-audit" in README
