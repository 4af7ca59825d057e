"""Where the real UTKFace lies, and a cache that outlives one test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def utkface() -> Path:
    folder = Path(os.environ.get("FER_AUDIT_UTKFACE", Path.home() / ".cache" / "UTKFace"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; see the Makefile's target real")
    return folder
