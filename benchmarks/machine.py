"""What a measurement has to say about where it was made."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fer_audit import __version__
from fer_audit.cores import usable_cores

RESULTS = Path(__file__).parent / "results"
_ISA = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile")
_PACKAGES = ("numpy", "scipy", "pillow", "onnxruntime", "onnxruntime-gpu", "scikit-learn")


def machine_facts() -> dict[str, Any]:
    """Return CPU, cores, memory, instruction sets, versions, and how busy the machine is right now."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    flags = fields.get("flags", "").split()
    return {
        "cpu": fields.get("model name", platform.processor()),
        "usable_cores": usable_cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "isa": [flag for flag in _ISA if flag in flags],
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": list(os.getloadavg()),
        "python": platform.python_version(),
        "fer-audit": __version__,
        **{name: found for name in _PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def summary(samples: Sequence[float]) -> dict[str, float]:
    """Return median, min and max, and the spread as a share of the median."""
    middle = statistics.median(samples)
    return {
        "median": middle,
        "min": min(samples),
        "max": max(samples),
        "spread": (max(samples) - min(samples)) / middle,
    }


def write_result(folder: Path, name: str, document: dict[str, Any]) -> Path:
    """Write raw samples and summaries to <folder>/<name>.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"case": name, **document}, indent=2) + "\n", encoding="utf-8")
    return path
