"""A peer whose work is an addition: python -m tests.benchmarks.jobs."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving import Job, serve


class Adds(Job):
    """Returns 1 + `more`, notes in a file that it was its turn, and dies when it is told to."""

    def __init__(self, setup: dict[str, Any]) -> None:
        if setup.get("dies") == "loading":
            raise RuntimeError("no such network")
        self._setup = setup
        self._done = 0
        self.facts = {"more": setup["more"]}

    def work(self) -> NDArray[np.float64]:
        """Return the (1,) sum after a moment."""
        self._done += 1
        if self._setup.get("dies") == "working" and self._done == 2:
            sys.exit("out of luck")
        print("a library talks")  # noqa: T201 - that is the case under test
        time.sleep(self._setup.get("sleeps", 0))
        with Path(self._setup["turns"]).open("a") as turns:
            turns.write(self._setup["name"])
        return np.array([1.0 + self._setup["more"]])

    def details(self) -> dict[str, float]:
        """Return how often it has worked."""
        return {"done": self._done}


if __name__ == "__main__":
    serve(Adds)
