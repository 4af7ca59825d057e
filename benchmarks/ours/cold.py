"""`fer-audit embed` with an empty cache: list, read, decode, resize, measure, keep, load the model, embed, write."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ours.setup import EmbedSetup
from benchmarks.serving import Job, serve
from fer_audit.config import Resources
from fer_audit.embed.session import choose_provider
from fer_audit.encoders.export import models_folder
from fer_audit.pipeline import run_audit
from fer_audit.progress import Timing


class Cold(Job):
    """A whole `embed`, from the listing to the run directory."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._asked = EmbedSetup(setup)
        self._home = Path(tempfile.mkdtemp(dir=self._asked.work))
        self._timings: tuple[Timing, ...] = ()
        self.facts = self._asked.facts(choose_provider("auto"))

    def prepare(self) -> None:
        """Empty the cache and the run directory."""
        for folder in ("run", "cache"):
            shutil.rmtree(self._home / folder, ignore_errors=True)

    def work(self) -> NDArray[np.float32]:
        """Return the (n, dim) vectors as they lie in the run directory."""
        run = run_audit(
            self._asked.faces,
            self._home / "run",
            config=self._asked.config,
            resources=Resources(
                cache_dir=self._home / "cache",
                models_dir=models_folder(Resources()),
                pack="on",
            ),
            until="embed",
        )
        self._timings = run.timings
        vectors: NDArray[np.float32] = np.load(run.folder / "embeddings.npy", mmap_mode="r")
        return vectors

    def details(self) -> dict[str, float]:
        """Return the seconds of the stages."""
        return {f"{each.stage}_seconds": each.seconds for each in self._timings}


if __name__ == "__main__":
    serve(Cold)
