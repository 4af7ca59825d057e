"""Run one command and say how long it took and how much memory it had: python -m benchmarks.launch COMMAND...

A process of its own, because Linux starts a child's peak memory at its parent's: that of a runner which has held a set of
vectors would be told as the command's. This one imports next to nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Write {seconds, peak_bytes, status} as JSON on stdout; what the command says on stderr passes through."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    answer = {"seconds": seconds, "peak_bytes": peak, "status": process.returncode}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
