"""All the work of `fer-audit run` but the page, on real faces with the real network, small enough for every CI run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.real

N = 96
"""A shard of 64 rows and half of another: each image costs a tenth of a second, twice."""
PROGRAM = """
import fer_audit.pack.types
fer_audit.pack.types.SHARD_ROWS = 64
from fer_audit.cli import main
main()
"""
SMALL = (
    *("--permutations", "99", "--bootstraps", "50", "--starts", "3", "--sweep-max", "4"),
    *("--replay", "0", "--recluster", "2"),
)
"""The audit itself is tested on made-up numbers; here the pixels, the network and the shards are."""
FILES = ("result.json", "rows.parquet", "embeddings.npy")


def command(utkface: Path, out: Path, cache: Path, *more: str) -> list[str]:
    run = [sys.executable, "-c", PROGRAM, "audit", str(utkface), "--out", str(out)]
    return [*run, "--cache-dir", str(cache), "--seed", "42", "--quiet", *SMALL, *more]


def finished_shards(cache: Path) -> int:
    return len(list(cache.glob("embed/*/vectors-*.json")))


def test_a_run_killed_in_the_middle_continues_to_the_same_bytes(
    utkface: Path, tmp_path: Path
) -> None:
    """SIGKILL after the first shard; the rerun must not notice, except by being faster."""
    options = ["--sample", str(N), "--k", "4"]
    whole = tmp_path / "whole"
    killed = tmp_path / "killed"
    subprocess.run(
        command(utkface, whole, tmp_path / "cache1", *options), capture_output=True, check=True
    )

    victim = subprocess.Popen(
        command(utkface, killed, tmp_path / "cache2", *options), stdout=subprocess.DEVNULL
    )
    while finished_shards(tmp_path / "cache2") < 1:
        assert victim.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert not (killed / "result.json").exists()
    assert finished_shards(tmp_path / "cache2") >= 1
    subprocess.run(
        command(utkface, killed, tmp_path / "cache2", *options), capture_output=True, check=True
    )

    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    result = json.loads((whole / "result.json").read_bytes())
    assert result["complete"]
    assert result["dataset"]["listed"] == result["dataset"]["ok"] == N
    assert result["model"]["provider"] == "CPUExecutionProvider"
    assert {a["attribute"] for a in result["associations"]} >= {"race", "gender", "age_bin"}


def test_the_papers_preprocessing_leaves_most_features_at_zero(
    utkface: Path, tmp_path: Path
) -> None:
    """72 % of the notebook's features are zero, 21 % of the right ones; the report carries the caveat."""
    zeros = {}
    caveats = {}
    for model in ("resnet50-keras", "resnet50-keras-paper"):
        out = tmp_path / model
        words = command(utkface, out, tmp_path / "cache", "--first", "24", "--model", model)
        subprocess.run(words, capture_output=True, check=True)
        zeros[model] = float((np.load(out / "embeddings.npy") == 0).mean())
        caveats[model] = json.loads((out / "result.json").read_bytes())["model"]["caveat"]

    assert zeros["resnet50-keras"] == pytest.approx(0.21, abs=0.05)
    assert zeros["resnet50-keras-paper"] == pytest.approx(0.72, abs=0.05)
    assert "reproduction only" in caveats["resnet50-keras-paper"]
    assert caveats["resnet50-keras"] == ""
