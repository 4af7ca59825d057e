"""One target in a process of its own under atheris: `python -m tests.fuzz.by_atheris TARGET FOLDER SECONDS`."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

INSTRUMENTED = ["fer_audit", "PIL", "json", "tomllib", "tarfile", "click"]
"""Packages whose Python leads the search; C code is not seen."""

HARD_SECONDS = 60
"""After which libFuzzer ends a process that hangs; MAX_SECONDS are judged by us, so that a slow input ends nothing."""


def main() -> None:
    """Fuzz until the time is over; write every kind of finding's smallest input and findings.json."""
    name, folder, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("error")
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.judge import judge
        from tests.fuzz.targets import MAX_BYTES, TARGETS

    target = TARGETS[name]
    corpus, found = folder / "corpus", folder / "found"
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp())
    for index, seed in enumerate(target.seeds()):
        (corpus / f"seed-{index:02}").write_bytes(seed)
    smallest: dict[str, int] = {}

    def one_input(data: bytes) -> None:
        trouble = judge(target, data, work)
        if trouble is None or smallest.get(trouble.words, sys.maxsize) <= len(data):
            return
        smallest[trouble.words] = len(data)
        (found / f"{trouble.name}.bin").write_bytes(data)
        (found / f"{trouble.name}.txt").write_text(f"{trouble.words}\n{trouble.trace}\n")
        (found / "findings.json").write_text(json.dumps(smallest, indent=2))

    _cap_address_space(MAX_BYTES)
    options = (
        *(f"-max_total_time={seconds}", f"-timeout={HARD_SECONDS}", "-rss_limit_mb=4000"),
        *(f"-max_len={target.longest}", f"-artifact_prefix={folder}/", "-print_final_stats=1"),
    )
    atheris.Setup([sys.argv[0], *options, str(corpus)], one_input)
    atheris.Fuzz()


def _cap_address_space(more: int) -> None:
    """Let this process take `more` bytes beyond what it has: an array too large is a MemoryError, not a dead machine."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    # arenas of allocators and stacks of threads count too, though nothing is in them
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * more, used + 2 * more))


if __name__ == "__main__":
    main()
