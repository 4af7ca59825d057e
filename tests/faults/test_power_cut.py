"""I3 as the system sees it: bytes are on the disk before a name is, the name before the manifest's, and that one last."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

WRITE_A_PART = """
import sys
from pathlib import Path
import numpy as np
from fer_audit.store.stage import StageFolder

folder = StageFolder.open(Path(sys.argv[1]), "pack", "f" * 64)
folder.write_part("p", {"n": 3}, a=np.arange(3), b=np.arange(4))
"""

_CALL = re.compile(r"(fsync|fdatasync|rename\w*)\((.*)\)\s+= 0")
_NAME = re.compile(r"[^/\"<>]*\.(?:npy|json)")


@pytest.mark.core
def test_bytes_then_name_then_folder_and_the_manifest_last(tmp_path: Path) -> None:
    """A power cut between any two of these leaves a whole part, or none that is believed."""
    log = tmp_path / "calls"
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    trace: list[str | Path] = ["strace", "-f", "-y", "-o", log, "-e", calls]

    command = [*trace, sys.executable, "-c", WRITE_A_PART, tmp_path / "cache"]
    subprocess.run(command, check=True, timeout=120)

    steps: list[str] = []
    for line in log.read_text().splitlines():
        found = _CALL.search(line)
        if found is None:
            continue
        call, words = found.groups()
        if call.startswith("rename"):
            steps.append(f"name {_NAME.findall(words)[-1]}")
        else:
            steps.append("bytes" if ".tmp-" in words else "folder")
    each = [["bytes", f"name {name}", "folder"] for name in ("p.a.npy", "p.b.npy", "p.json")]
    assert steps == [step for file in each for step in file]
