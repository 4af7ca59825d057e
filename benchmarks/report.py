"""results/*.json -> the chart and README's section on speed. Nothing in either is written by hand."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.chart import save_speed_chart
from benchmarks.interleave import LOUD
from benchmarks.machine import RESULTS, summary
from benchmarks.worker import ROOT

README = ROOT / "README.md"
CHART = ROOT / "docs" / "pictures" / "speed.svg"
BEGIN = "<!-- speed: written by `python -m benchmarks report`; do not edit -->"
END = "<!-- end of speed -->"

Result = Mapping[str, Any]


def write_report(results: Path = RESULTS) -> list[Path]:
    """Write the chart and README's section; return the files that were written."""
    found = read_results(results)
    README.write_text(with_section(README.read_text(encoding="utf-8"), found), encoding="utf-8")
    if "embed" not in found:
        return [README]
    save_speed_chart(found["embed"], CHART)
    return [README, CHART]


def read_results(folder: Path) -> dict[str, Result]:
    """Return the results that are there, by case, in the order of the cases."""
    paths = ((name, folder / f"{name}.json") for name in CASES)
    return {
        name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths if path.exists()
    }


def with_section(readme: str, results: Mapping[str, Result]) -> str:
    """Return README's text with the section between its two markers written anew. ValueError without markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{section(results)}\n{END}{after}"


def section(results: Mapping[str, Result]) -> str:
    """Return the Markdown of every case that was measured."""
    writers = {"embed": _embed, "cluster": _cluster, "after": _after}
    lines = [line for name, result in results.items() for line in writers[name](result)]
    return "\n".join(lines) if lines else "Nothing is measured yet: `make bench`.\n"


def _embed(result: Result) -> Iterator[str]:
    yield "![Images a second of each peer, median and range](docs/pictures/speed.svg)"
    yield ""
    yield (
        f"**Files to vectors.** {_of_faces(result)} through ResNet50 v1 at 224 x 224, "
        f"{_protocol(result)}. A ratio is the median of the repeats' own."
    )
    yield ""
    yield "| what | images/s, median (min-max) | compared with the model alone, fp32 | least cosine to it, or how far off it | peak memory |"
    yield "|---|---|---|---|---|"
    bare = result["peers"].get("bare-fp32", {}).get("seconds")
    for peer in result["peers"].values():
        if "skipped" in peer:
            yield f"| {peer['label']} | not measured: {_short(peer['skipped'])} | | | |"
            continue
        ratio = "" if bare is None else f"{_beside(bare, peer['seconds']):.2f} x"
        speed = _ranged(peer["per_second"], "{:.1f}")
        memory = "" if peer["peak_bytes"] is None else f"{peer['peak_bytes'] / 1e9:.2f} GB"
        yield f"| {peer['label']} | {speed} | {ratio} | {_agreement(peer)} | {memory} |"
    yield ""
    for ratio in result["ratios"]:
        yield f"- {ratio['what']}: {ratio['median']:.2f} x"
    if "paper" in result["peers"] and "seconds" in result["peers"]["paper"]:
        yield ""
        yield "The paper's pipeline is held against our export of its own preprocessing (RGB / 255), not against the default."
    yield ""
    yield from _ending(result, "embed")


def _cluster(result: Result) -> Iterator[str]:
    rows, columns = result["shape"]
    repeats = ", ".join(f"{_times(race['repeats'])} at {k}" for k, race in result["races"].items())
    yield (
        f"**Vectors to clusters.** Ten starts on {rows:,} x {columns} float32 ({result['vectors']}), "
        f"the peers one after the other: {repeats}, without a warm-up. "
        "The inertia of all peers agrees within 0.1 %."
    )
    yield ""
    yield "| what | seconds, median (min-max) | fer-audit is | inertia |"
    yield "|---|---|---|---|"
    for k, race in result["races"].items():
        faster = {each["beside"]: each["median"] for each in race["ratios"]}
        for name, peer in race["peers"].items():
            if "skipped" in peer:
                yield f"| {k}, {peer['label']} | not measured: {_short(peer['skipped'])} | | |"
                continue
            times = f"{faster[name]:.1f} x as fast" if name in faster else ""
            yield (
                f"| {k}, {peer['label']} | {_ranged(peer['summary'], '{:.2f}')} | {times} "
                f"| {peer['agreement']['inertia']:.5g} |"
            )
    yield ""
    yield from _ending(result, "cluster")


def _after(result: Result) -> Iterator[str]:
    measures = result["measures"]
    stages = measures["run"]["stages"]
    yield (
        f"**After the vectors.** {_of_faces(result)}, `--k 4 --seed 42`, each in a fresh process."
    )
    yield ""
    yield "| what | seconds, median (min-max) |"
    yield "|---|---|"
    yield f"| clusters, audit, pictures and page, all of it | {_ranged(measures['run']['summary'], '{:.1f}')} |"
    for stage in ("cluster", "audit", "pictures", "report"):
        seconds = [each[stage] for each in stages if stage in each]
        if seconds:
            yield f"| of it: {stage} | {_ranged(summary(seconds), '{:.1f}')} |"
    yield f"| the same run again | {_ranged(measures['again']['summary'], '{:.2f}')} |"
    yield f"| `fer-audit --help` | {_ranged(measures['help']['summary'], '{:.2f}')} |"
    yield ""
    peak = measures["peak_bytes"]["summary"]["max"] / 1e9
    yield f"Peak resident memory of the run: {peak:.2f} GB."
    yield ""
    yield from _ending(result, "after")


def _protocol(race: Result) -> str:
    warm = "after a warm-up" if race["warm_up"] else "without a warm-up"
    return f"{_times(race['repeats'])} {warm}, the peers one after the other in every repeat"


def _times(repeats: int) -> str:
    return f"{repeats} repeat{'s' if repeats != 1 else ''}"


def _of_faces(result: Result) -> str:
    faces = result["faces"]
    drawn = faces.startswith(("drawn", "the drawn"))
    return f"{result['images']:,} {'drawn faces' if drawn else f'faces of {faces}'}"


def _ending(result: Result, name: str) -> Iterator[str]:
    """Say where, with what command, and what is missing."""
    machine = result["machine"]
    isa = [flag for flag in machine["isa"] if flag != "fma"]
    yield (
        f"{machine['usable_cores']} cores of {machine['cpu']} ({', '.join(isa)}), "
        f"load {machine['load_average'][0]:.1f} at the start. "
        f"`{result['command']}`, raw samples in [{name}.json](benchmarks/results/{name}.json)."
    )
    yield f"Not measured: {'; '.join(result['not_measured'])}."
    yield ""


def _ranged(told: Mapping[str, float], form: str) -> str:
    """Write median (min-max), and the spread where it is loud; a lone sample has neither."""
    if told["min"] == told["max"]:
        return form.format(told["median"])
    median, low, high = (form.format(told[key]) for key in ("median", "min", "max"))
    loud = f", spread {told['spread']:.0%}" if told["spread"] > LOUD else ""
    return f"{median} ({low}-{high}{loud})"


def _beside(ones: list[float], others: list[float]) -> float:
    """Return the median of the ratios of two peers' seconds, repeat by repeat."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def _agreement(peer: Mapping[str, Any]) -> str:
    """Write how well the outputs agree, never rounded to the better side: a cosine of 0.99998 is no 1.

    The cosine of two faces is high anyway, so a precision that rounds is told by its error instead.
    """
    agreement = peer["agreement"]
    if agreement["largest_difference"] == 0:
        return "equal"
    if "error_of_spread" in agreement:
        return f"off by {math.ceil(agreement['error_of_spread'] * 1e3) / 10:.1f} % of the spread"
    least = int(agreement["least_cosine"] * 1e6) / 1e6
    return f"{least:.6f}"


def _short(reason: str) -> str:
    return reason.replace("|", "/").splitlines()[0][:160]
