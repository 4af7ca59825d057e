"""The whole walk: files -> pixels -> vectors -> clusters -> statements -> a run directory.

The only room that knows every other. Every stage is named by a fingerprint of what it depends on, so the same call continues
where it stopped, and a change of k or of a label never embeds anything twice.
"""

from fer_audit.pipeline.run import run_audit
from fer_audit.pipeline.types import Run

__all__ = ["Run", "run_audit"]
