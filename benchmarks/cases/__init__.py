"""The cases, in the order they are measured. Each is a file with its peers, its check, and what it does not measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.cases import after, cluster, embed
from benchmarks.options import Options

CASES: dict[str, Callable[[Options], dict[str, Any]]] = {
    "embed": embed.measure,
    "cluster": cluster.measure,
    "after": after.measure,
}
