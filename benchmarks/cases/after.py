"""What a person waits for once the vectors are there: a whole run, the same run again, and `--help`. Fresh processes.

The cache of a run has the vectors and the pixels and nothing else, so that clustering, audit, pictures and page are all made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.interleave import UnequalOutputs
from benchmarks.kept import kept_vectors_of
from benchmarks.machine import summary
from benchmarks.network import save_narrow_network
from benchmarks.options import SMOKE_IMAGES, Options
from benchmarks.worker import ROOT, PeerFailure
from fer_audit.report.files.timings import read_timings
from fer_audit.store.stage import cache_folder
from fer_audit.synth import demo_dataset
from fer_audit.synth.folder import write_demo

RUNS = 1
"""A run of 24k faces takes most of a minute, and nothing in it is raced against anybody."""
WARM_RUNS = 3
HELPS = 5

NOT_MEASURED = ("scanning and embedding a new set", "the files `report --png` writes")


def measure(options: Options) -> dict[str, Any]:
    """Time the commands; every run must leave the same result.json."""
    runs = 1 if options.smoke else min(RUNS, options.repeats)
    warm_runs = 1 if options.smoke else WARM_RUNS
    source, what, words = _source(options)
    cold, warm, stages, peaks = [], [], [], []
    first: bytes | None = None
    for turn in range(runs):
        cache, out = options.work / f"cache-{turn}", options.work / f"run-{turn}"
        _share_vectors(options, cache)
        command = ["run", str(source), *words, "--out", str(out), "--cache-dir", str(cache)]
        seconds, peak = call([*command, "--quiet"])
        cold.append(seconds)
        peaks.append(peak)
        timings = read_timings(out / "timings.json")
        stages.append({each.stage: each.seconds for each in timings})
        options.say(f"  run {turn + 1}: {seconds:.1f} s, peak {peak / 1e9:.2f} GB")
        first = _same_result(first, out / "result.json")
    for turn in range(warm_runs):
        seconds, _ = call([*command, "--quiet"])
        warm.append(seconds)
        first = _same_result(first, out / "result.json")
        options.say(f"  again {turn + 1}: {seconds:.2f} s")
    helps = [call(["--help"])[0] for _ in range(1 if options.smoke else HELPS)]
    options.say(f"  --help: {min(helps):.2f} s")
    return {
        "unit": "seconds",
        "faces": what,
        "images": json.loads(first or b"{}")["dataset"]["listed"],
        "page_cache": "warm",
        "measures": {
            "run": {"seconds": cold, "summary": summary(cold), "stages": stages},
            "peak_bytes": {"bytes": peaks, "summary": summary(peaks)},
            "again": {"seconds": warm, "summary": summary(warm)},
            "help": {"seconds": helps, "summary": summary(helps)},
        },
        "not_measured": NOT_MEASURED,
    }


def _source(options: Options) -> tuple[Path, str, list[str]]:
    """Return the dataset, what it is, and the options of its run."""
    words = ["--k", "4", "--seed", "42"]
    if options.smoke:
        narrow = save_narrow_network(options.work / "after.onnx")
        write_demo(options.work / "after", SMOKE_IMAGES)
        few = ["--permutations", "200", "--bootstraps", "50", "--sweep-max", "4", "--replay", "5"]
        return options.work / "after", "drawn", [*words, *few, "--model", str(narrow.path)]
    if options.dataset is None:
        options.say("  the drawn demo set is embedded first, if it was not")
        demo = demo_dataset(None)
        call(["embed", str(demo), "--out", str(options.work / "vectors"), "--quiet"])
        return demo, "the drawn demo set", words
    kept = kept_vectors_of(options.dataset)
    if isinstance(kept, str):
        raise PeerFailure(kept)
    return options.dataset, options.dataset.name, words


def _share_vectors(options: Options, cache: Path) -> None:
    """Make a cache that sees the user's vectors and pixels, and keeps everything else to itself."""
    cache.mkdir()
    if options.smoke:
        return
    for stage in ("embed", "pack"):
        (cache / stage).symlink_to(cache_folder(None) / stage, target_is_directory=True)


def _same_result(first: bytes | None, path: Path) -> bytes:
    found = path.read_bytes()
    if first is not None and found != first:
        raise UnequalOutputs(f"{path.name} is another one than that of the first run")
    return found


def call(words: list[str]) -> tuple[float, int]:
    """Return the seconds and the peak resident bytes of one `fer-audit` in a fresh process."""
    launch = [sys.executable, "-m", "benchmarks.launch"]
    done = subprocess.run(
        [*launch, sys.executable, "-m", "fer_audit.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    if answer["status"] != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PeerFailure(f"fer-audit {words[0]} ended with {answer['status']}: {last}")
    return answer["seconds"], answer["peak_bytes"]
