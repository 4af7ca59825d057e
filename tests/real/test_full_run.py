"""All 23,707 images. Half an hour on two cores without AVX-512, so CI runs it only when asked: make real-full."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_the_full_set_gives_the_known_facts(utkface: Path, tmp_path: Path) -> None:
    """Counts of the set itself, and an inertia as good as scikit-learn's ten starts."""
    from sklearn.cluster import KMeans

    out = tmp_path / "run"
    options = ["--k", "4", "--seed", "42", "--json", "--quiet"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fer_audit.cli", "run", str(utkface), "--out", str(out)),
            *options,
        ],
        capture_output=True,
        check=True,
    )

    result = json.loads(done.stdout)
    dataset = result["dataset"]
    assert (dataset["listed"], dataset["ok"], dataset["fully_labelled"]) == (23707, 23707, 23704)
    duplicates = result["duplicates"]
    assert (duplicates["groups"], duplicates["files"]) == (375, 765)
    assert duplicates["conflicts"] == {"race": 70, "gender": 40, "age": 205}
    vectors = np.load(out / "embeddings.npy", mmap_mode="r")
    best = KMeans(4, n_init=10, random_state=0).fit(vectors).inertia_
    assert result["clustering"]["inertia"] <= best * 1.001
