"""The benchmarks' command line."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.environments import ENVIRONMENTS, default_folder, environment_python
from benchmarks.interleave import UnequalOutputs
from benchmarks.machine import RESULTS, machine_facts, write_result
from benchmarks.options import Options
from benchmarks.report import write_report
from benchmarks.worker import PeerFailure

IMAGES = 64
"""Whole batches of 16 and of 32; five seconds of fp32 on two cores with AVX2, and eight minutes of all peers."""
REPEATS = 5


def main() -> int:
    """Run one of the three verbs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="measure, and write raw samples")
    run.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all")
    run.add_argument("--images", type=int, default=IMAGES, help="faces of the case embed")
    run.add_argument("--repeats", type=int, default=REPEATS)
    run.add_argument("--dataset", type=Path, help="a folder of faces; default: drawn ones")
    run.add_argument("--results", type=Path, default=RESULTS, help="where the JSON goes")
    run.add_argument("--smoke", action="store_true", help="every code path, no number kept")
    report = verbs.add_parser("report", help="draw the chart and write README's table")
    prepare = verbs.add_parser("prepare", help="make the environments of the baselines")
    for verb in (run, prepare):
        verb.add_argument("--environments", type=Path, default=default_folder())
    report.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.verb == "report":
        for path in write_report(asked.results):
            say(f"wrote {path}")
        return 0
    if asked.verb == "prepare":
        return prepare_environments(asked.environments)
    unknown = [name for name in asked.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    try:
        run_cases(asked)
    except UnequalOutputs as exc:
        say(f"nothing of this case is kept: {exc}")
        return 1
    return 0


def run_cases(asked: argparse.Namespace) -> None:
    """Measure the cases asked for, and keep each as soon as it is whole."""
    began = time.perf_counter()
    for name in asked.cases or CASES:
        say(f"{name}:")
        facts = machine_facts()
        with tempfile.TemporaryDirectory(prefix="fer-audit-bench-") as work:
            options = Options(
                images=asked.images,
                repeats=1 if asked.smoke else asked.repeats,
                dataset=asked.dataset,
                smoke=asked.smoke,
                work=Path(work),
                environments=asked.environments,
                say=say,
            )
            try:
                measured = CASES[name](options)
            except PeerFailure as exc:
                if asked.smoke:
                    raise
                say(f"  not measured: {exc}")
                continue
        if asked.smoke:
            _refuse_gaps(name, measured)
            continue
        document = {"command": options.command(name), "machine": facts, **measured}
        say(f"  -> {write_result(asked.results, name, document)}")
    say(f"{time.perf_counter() - began:.0f} s in all")


def _refuse_gaps(name: str, measured: dict[str, object]) -> None:
    """Fail when a peer fell out: nothing of it was tested."""
    races = measured.get("races", {"": measured})
    for race in races.values() if isinstance(races, dict) else ():
        for peer, told in race.get("peers", {}).items():
            if "skipped" in told:
                raise UnequalOutputs(f"{name}: {peer}: {told['skipped']}")


def prepare_environments(folder: Path) -> int:
    """Make every environment; 1 when one of them cannot be made."""
    failed = 0
    for name in ENVIRONMENTS:
        try:
            say(f"{name}: {environment_python(name, folder, say)}")
        except PeerFailure as exc:
            failed = 1
            say(f"{name}: {exc}")
    return failed


def say(line: str) -> None:
    """Print one line at once: a benchmark of minutes shows that it is alive."""
    print(line, flush=True)  # noqa: T201 - the one place that talks


if __name__ == "__main__":
    sys.exit(main())
