"""What a measurement has to say about where it was made."""

from __future__ import annotations

import json
import platform
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fer_audit import __version__
from fer_audit.cores import usable_cores

RESULTS = Path(__file__).parent / "results"
_ISA = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile")


def machine_facts() -> dict[str, Any]:
    """Return CPU, cores, instruction sets and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    flags = fields.get("flags", "").split()
    packages = ("numpy", "pillow", "onnxruntime", "scikit-learn")
    return {
        "cpu": fields.get("model name", platform.processor()),
        "usable_cores": usable_cores(),
        "isa": [flag for flag in _ISA if flag in flags],
        "python": platform.python_version(),
        "fer-audit": __version__,
        **{name: version(name) for name in packages},
    }


def summary(seconds: list[float], items: int) -> dict[str, float]:
    """Return items per second: median, min, max; and the spread of the samples."""
    rates = [items / second for second in seconds]
    return {
        "median": statistics.median(rates),
        "min": min(rates),
        "max": max(rates),
        "spread": (max(rates) - min(rates)) / statistics.median(rates),
    }


def write_result(name: str, document: dict[str, Any]) -> Path:
    """Write raw samples and summaries to results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine_facts(), **document}, indent=2) + "\n")
    return path
