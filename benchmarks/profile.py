"""Where each core's time goes in a cold `embed`: seconds of CPU by kind of thread, and the wall clock.

    python -m benchmarks.profile path/to/UTKFace --images 512 --precision int8

Reads Linux's /proc twenty times a second; a thread that lives shorter than that is missed.
Writes nothing; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.encoders.export import models_folder
from fer_audit.pipeline import run_audit

_TICK = os.sysconf("SC_CLK_TCK")


class ThreadSeconds(threading.Thread):
    """Notes the CPU seconds of every thread of this process until stopped."""

    def __init__(self) -> None:
        super().__init__(name="profile", daemon=True)
        self.seconds: dict[int, float] = {}
        self.names: dict[int, str] = {}
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look every 50 ms."""
        while not self._stop_asked.wait(0.05):
            for thread in threading.enumerate():
                if thread.native_id is not None:
                    self.names[thread.native_id] = thread.name
            for task in Path("/proc/self/task").iterdir():
                try:
                    fields = (task / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                self.seconds[int(task.name)] = (int(fields[11]) + int(fields[12])) / _TICK

    def stop(self) -> dict[str, float]:
        """Return seconds by kind of thread; those Python does not know are the model's own."""
        self._stop_asked.set()
        self.join()
        kinds: dict[str, float] = defaultdict(float)
        for number, seconds in self.seconds.items():
            name = self.names.get(number, "onnxruntime and linear algebra")
            kinds[name.split("_")[0]] += seconds
        return dict(sorted(kinds.items(), key=lambda item: -item[1]))


def main() -> None:
    """Profile one cold embed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--model", default="resnet50-keras")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fer-audit-profile-") as home:
        watch = ThreadSeconds()
        watch.start()
        started = time.perf_counter()
        run = run_audit(
            asked.dataset,
            Path(home) / "run",
            config=AuditConfig.of(
                model=asked.model, precision=asked.precision, sample=asked.images
            ),
            resources=Resources(
                cache_dir=Path(home) / "cache", models_dir=models_folder(Resources())
            ),
            until="embed",
        )
        wall = time.perf_counter() - started
        threads = watch.stop()
    busy = sum(threads.values())
    report = {
        "images": len(run.dataset),
        "wall_seconds": round(wall, 2),
        "stages": {each.stage: round(each.seconds, 2) for each in run.timings},
        "cores": usable_cores(),
        "busy_share_of_all_cores": round(busy / wall / usable_cores(), 3),
        "cpu_seconds": {name: round(seconds, 2) for name, seconds in threads.items()},
    }
    print(json.dumps(report, indent=2))  # noqa: T201 - a benchmark talks


if __name__ == "__main__":
    main()
