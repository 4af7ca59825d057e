"""What a measurement has to say about where it was made."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from fer_audit import __version__
from fer_audit.bench.types import MachineFacts
from fer_audit.cores import usable_cores
from fer_audit.embed.session import runtime_version

ISA = (
    *("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_int8"),
    *("asimddp", "i8mm", "bf16", "sve"),
)
"""x86 first, then ARM; "avx512_vnni", "avx_vnni", "amx_int8", "asimddp" and "i8mm" multiply bytes."""

_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("numpy", "scipy", "scikit-learn", "pillow", "onnx")


def machine_facts() -> MachineFacts:
    """Return CPU, cores, instruction sets, load and versions."""
    return MachineFacts(
        cpu=_cpu_name(),
        usable_cores=usable_cores(),
        isa=_isa(),
        system=f"{platform.system()} {platform.machine()}",
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        versions=(
            ("fer-audit", __version__),
            ("python", platform.python_version()),
            *((name, version(name)) for name in _PACKAGES),
            ("onnxruntime", runtime_version()),
        ),
    )


def _cpu_name() -> str:
    """Return the processor as the system names it, e.g. "AMD EPYC"."""
    fields = _cpuinfo()
    return fields.get("model name") or platform.processor() or platform.machine()


def _isa() -> tuple[str, ...]:
    fields = _cpuinfo()
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    return tuple(flag for flag in ISA if flag in flags)


def _cpuinfo() -> dict[str, str]:
    """Return Linux's description of the last core; empty elsewhere."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
