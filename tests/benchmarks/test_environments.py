"""An environment is made once, and one that cannot be made says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.environments import DONE, ENVIRONMENTS, environment_python
from benchmarks.worker import PeerFailure


@pytest.mark.slow
def test_what_pip_cannot_find_is_a_reason_and_leaves_nothing_that_looks_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "odd", (f"{tmp_path}/no-such-1.0-py3-none-any.whl",))

    with pytest.raises(PeerFailure, match="its environment cannot be made"):
        environment_python("odd", tmp_path, lambda _: None)

    assert not list(tmp_path.rglob(DONE))


def test_a_finished_environment_is_used_as_it_is_until_a_pin_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    installed: list[str] = []

    def call(command: list[str]) -> str:
        if "venv" in command:
            Path(command[-1]).mkdir()
        if "install" in command:
            installed.append(command[-1])
        return ""

    monkeypatch.setattr(environments, "_call", call)
    for pin in ("one==1", "one==1", "one==2"):
        monkeypatch.setitem(ENVIRONMENTS, "odd", (pin,))
        environment_python("odd", tmp_path, said.append)

    assert installed == ["one==1", "one==2"]
    assert len(said) == 2
