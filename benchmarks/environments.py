"""The baselines' own environments: made with pip when they are first wanted, kept in the user's cache.

Their packages never enter ours, and an environment that cannot be made is a peer that is not measured, with the reason.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.worker import PeerFailure

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "keras": ("tensorflow-cpu==2.21.0", "pillow>=12.3"),
    "torch": ("torch==2.13.0", "onnx>=1.21", "numpy>=2.0", "pillow>=12.3"),
}
"""Name -> what pip installs. On Linux torch's wheel may be a CUDA build; it is run on the CPU either way."""

DONE = "installed.txt"
"""Written last, with what pip installed."""

INSTALL_SECONDS = 1800


def default_folder() -> Path:
    """Return where environments are kept."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("fer-audit-bench", appauthor=False))


def environment_python(name: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Return the interpreter of an environment, making it on first use. Raises PeerFailure with pip's last words."""
    pins = ENVIRONMENTS[name]
    # another pin is another environment
    home = folder / f"{name}-{hashlib.sha256(' '.join(pins).encode()).hexdigest()[:8]}"
    python = home / "bin" / "python"
    if (home / DONE).exists():
        return python
    say(f"making the environment {name} in {home}: {', '.join(pins)}")
    if home.exists():
        shutil.rmtree(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", str(home)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    _call([*pip, "install", "--quiet", *pins])
    (home / DONE).write_text(_call([*pip, "freeze"]))
    return python


def _call(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise PeerFailure(f"its environment cannot be made: {exc}") from exc
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise PeerFailure(f"its environment cannot be made: {last}")
    return done.stdout
