"""From numbers to settings, each with its reason, and whether it was measured or follows from what the machine is."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.bench.file_stages import BOTH
from fer_audit.bench.machine import BYTE_PRODUCTS
from fer_audit.bench.model_stages import BARE, FROM_FILES
from fer_audit.bench.types import (
    MachineFacts,
    ModelMeasured,
    Ratio,
    Recommendation,
    StageSpeed,
    Trial,
)
from fer_audit.embed.types import CUDA

_SEARCH = "not compared with others here; fer-audit bench --autotune does"
_DECODING_HURTS = 0.9
"""Below this share of the bare model's speed, what comes before the model is worth a thought."""


def recommend(
    machine: MachineFacts,
    model: ModelMeasured,
    stages: Sequence[StageSpeed],
    ratios: Sequence[Ratio],
    trials: Sequence[Trial],
) -> tuple[Recommendation, ...]:
    """Return threads, batch and precision, and whether to keep the pixels if that was measured."""
    return (
        *_settings(machine, model, trials),
        _precision(machine, model),
        *_pack({stage.stage: stage for stage in stages}, ratios),
    )


def _settings(
    machine: MachineFacts, model: ModelMeasured, trials: Sequence[Trial]
) -> list[Recommendation]:
    """Say what was found, or that nothing was searched. `model` runs with the choice already."""
    if not trials:
        cores = machine.usable_cores
        usual = "the usable cores" if model.threads == cores else f"{cores} cores are usable"
        return [
            Recommendation("threads", str(model.threads), f"{usual}; {_SEARCH}", measured=False),
            Recommendation("batch-size", str(model.batch_size), _SEARCH, measured=False),
        ]
    slowest = min(trial.images_per_second for trial in trials)
    chosen = [
        trial
        for trial in trials
        if (trial.threads, trial.batch_size) == (model.threads, model.batch_size)
    ]
    reached = chosen[-1].images_per_second
    threads = len({trial.threads for trial in trials})
    batches = len({trial.batch_size for trial in trials})
    return [
        Recommendation(
            "threads",
            str(model.threads),
            f"{reached:.1f} images/s; the slowest of all {len(trials)} trials reached {slowest:.1f}"
            if threads > 1
            else "the only choice on this machine",
            measured=threads > 1,
        ),
        Recommendation(
            "batch-size",
            str(model.batch_size),
            f"the smallest of {batches} within 2 % of the fastest; not remembered: another batch changes last bits of the vectors",
            measured=True,
        ),
    ]


def _precision(machine: MachineFacts, model: ModelMeasured) -> Recommendation:
    has = sorted(BYTE_PRODUCTS & set(machine.isa))
    if model.precision != "fp32":
        reason = "as measured; compare with --precision fp32 before you rely on it"
        return Recommendation("precision", model.precision, reason, measured=False)
    if model.provider == CUDA:
        reason = "a GPU multiplies fp16 several times as fast; measure it with --precision fp16"
        return Recommendation("precision", "fp16", reason, measured=False)
    if has:
        reason = f"this CPU multiplies bytes ({', '.join(has)}); measure it with --precision int8"
        return Recommendation("precision", "int8", reason, measured=False)
    reason = "this CPU has no instructions for products of bytes (VNNI): int8 gains less and costs agreement"
    return Recommendation("precision", "fp32", reason, measured=False)


def _pack(speeds: dict[str, StageSpeed], ratios: Sequence[Ratio]) -> list[Recommendation]:
    """Judge by the ratio taken round by round: on an unsteady machine the two medians are of different rounds."""
    found = [each.median for each in ratios if (each.over, each.under) == (FROM_FILES, BARE)]
    if not found:
        return []
    (share,) = found
    if share >= _DECODING_HURTS:
        reason = (
            f"from files the model runs at {share:.0%} of its bare speed: decoding hides behind it"
        )
        return [Recommendation("pack", "auto", reason, measured=True)]
    reason = f"from files the model runs at {share:.0%} of its bare speed"
    if BOTH in speeds:
        reason += f", decoding alone reaches {speeds[BOTH].median:,.0f} images/s"
    reason += ": keep the pixels if the set is embedded more than once"
    return [Recommendation("pack", "on", reason, measured=True)]
