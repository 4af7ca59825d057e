"""What a command waits for before it does anything."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["fer_audit.pipeline", "fer_audit.report.render.terminal"])
def test_a_warm_rerun_loads_no_library_that_only_new_work_needs(module: str) -> None:
    """It reads result.json and shows it; scipy.stats and scikit-learn would be a third of its time."""
    heavy = ("scipy", "sklearn", "matplotlib", "onnx", "pyarrow", "umap")
    code = f"import sys, {module}; print(*(x for x in {heavy!r} if x in sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []
