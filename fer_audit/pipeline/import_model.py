"""Import somebody else's ONNX file: look, ask, try three images, wrap, write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.embed.session import CPU, EmbedSession, run_all
from fer_audit.encoders.catalog import CATALOG
from fer_audit.encoders.foreign import (
    Answer,
    ForeignGraph,
    contract_for,
    last_operator,
    look_into,
    wrapped,
)
from fer_audit.encoders.network import OUTPUT_NAME, PROBABILITIES
from fer_audit.encoders.presets import Contract
from fer_audit.encoders.sidecar import check_graph, save_model
from fer_audit.encoders.types import PADDED, ExportedModel, ModelSpec, columns_of
from fer_audit.errors import ConfigError, DatasetError, ModelError
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.rng import stage_rng
from fer_audit.store.stage import file_sha256
from fer_audit.text import counted, percent

SUMS_TO_ONE = 1e-3
"""How far probabilities may be off one together; float16 adds up to that."""
SAME = 1e-2
"""Largest difference of one image's numbers alone and in a batch, as a share of how far three images' numbers spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A model that was wrapped and written."""

    model: ExportedModel
    understood: tuple[str, ...]
    """What was seen in the graph and in its answers, a sentence each; first the model of that name that it replaces."""
    preview: NDArray[np.float32]
    """(dim,) what the written model gives for one image."""


def import_model(
    path: Path, asked: Contract, *, name: str, models_dir: Path, image: Path | None
) -> Imported:
    """Write models_dir/name.onnx and its sidecar, which take and give what every model of ours does.

    `image`: a file to show the model's answer on, None for a drawn one.
    Raises ModelError for what cannot be run or gives no answers, ConfigError for what only its author knows, DatasetError
    for an image that cannot be read; nothing is written then.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name in {e.spec.name for e in CATALOG}:
        raise ConfigError(
            f"{name!r} cannot be the model's name", hint="Give a plain word that is new: --name"
        )
    graph = look_into(path)
    contract = contract_for(graph, asked)
    spec = ModelSpec(
        *(name, contract.task or "embed", contract.size or 0, 0, contract.colour or "RGB"),
        mean=contract.mean,
        scale=contract.scale,
        weights=f"{path.name}, sha256 {file_sha256(path)}",
        licence="not stated",
        citation="not stated",
        caveat=f"{contract.caveat} {PADDED}".strip() if contract.padded else contract.caveat,
        trained_on=contract.trained_on or "not stated",
        heads=contract.heads,
        padded=contract.padded,
        batch=graph.sides[0],
    )
    # three images no network should answer alike: a slope, its negative, seeded noise
    y, x = np.mgrid[: spec.size, : spec.size] * 255 // max(spec.size - 1, 1)
    slope = np.stack([x, y, (x + y) // 2], axis=-1).astype(np.uint8)
    noise = stage_rng(0, "import", "probe").integers(0, 256, slope.shape, np.uint8)
    probes = np.stack([slope, 255 - slope, noise])
    shown_one = probes[:1]
    try:
        if image is not None:
            shown_one = decode_image(
                image.read_bytes(), image.name, spec.size, padded=spec.padded
            ).pixels[None]
    except (OSError, DecodeError) as exc:
        raise DatasetError(f"Cannot read the image {image}: {exc}") from exc
    answers, batch = _answers(graph, spec, contract, probes)
    output = _chosen(graph, contract, answers)
    numbers = answers[output]
    if not np.isfinite(numbers).all():
        raise ModelError(f"{path} gives NaN or infinite numbers ({output}); its answers are none")
    if (numbers == numbers[0]).all():
        raise ModelError(
            f"{path} gives the same numbers for three different images ({output}): there is nothing to cluster or to count",
            hint="Check --mean and --scale, and that the export has its weights.",
        )
    spec = replace(spec, batch=batch, dim=numbers.shape[1])
    answer, words = _meaning(graph, spec, output, numbers)
    whole = wrapped(graph, spec, contract.layout, [answer])
    target = models_dir / f"{name}.onnx"
    before = file_sha256(target) if target.is_file() else ""
    model = save_model(whole, spec, "fp32", target)
    check_graph(model)
    with closing(EmbedSession(model, CPU, batch_size=1)) as session:
        preview = session.embed(shown_one)[0]
    mean, scale = ", ".join(f"{m:g}" for m in spec.mean), ", ".join(f"{s:.5g}" for s in spec.scale)
    fed = [
        f"fed {spec.colour} {spec.size} x {spec.size} {contract.layout}, (x - ({mean})) * ({scale})"
    ]
    if spec.padded:
        fed.append(PADDED)
    if before not in ("", model.sha256):
        fed.insert(0, f"replaces {name} (sha256 {before})")
    if batch is not None:
        fed.append(f"takes {counted(batch, 'image')} at a time; a short batch is padded")
    return Imported(model, (*fed, *words), preview)


def shown(imported: Imported, image: str | None) -> tuple[str, ...]:
    """Return what the model says of the image, a line for each head."""
    lines = []
    for head, place in columns_of(imported.model.spec.heads):
        part = imported.preview[place]
        best = np.argsort(-part, kind="stable")[:3] if head.classes else ()
        said = ", ".join(f"{head.classes[i]} {percent(part[i])}" for i in best)
        lines.append(f"{head.name}: {said or format(part[0], '.4g')}")
    if not lines:
        first = ", ".join(f"{number:.4g}" for number in imported.preview[:4])
        lines = [f"{counted(len(imported.preview), 'number')}: {first} ..."]
    return (f"On {image or 'a drawn slope of colours'} it says", *(f"  {line}" for line in lines))


def _answers(
    graph: ForeignGraph, spec: ModelSpec, contract: Contract, probes: NDArray[np.uint8]
) -> tuple[dict[str, NDArray[np.float32]], int | None]:
    """Return what every output gives for each image, and the batch that the graph insists on.

    A graph may say that it takes any batch and still be made for one image: then three together fail, or answer otherwise
    than each alone, and it is run one by one.
    """
    asked = [Answer(output, f"output_{index}") for index, output in enumerate(graph.outputs)]

    def run(batch: int | None, batches: Sequence[NDArray[np.uint8]]) -> list[list[NDArray[Any]]]:
        model = wrapped(graph, replace(spec, batch=batch), contract.layout, asked)
        return run_all(model.SerializeToString(), batches)

    def named(rows: list[list[NDArray[Any]]]) -> dict[str, NDArray[np.float32]]:
        each = zip(*([output[:1] for output in row] for row in rows), strict=True)
        return {name: np.concatenate(x) for name, x in zip(graph.outputs, each, strict=True)}

    alone = [probes[i : i + 1] for i in range(len(probes))]
    if spec.batch is not None:
        repeated = [np.repeat(each, spec.batch, axis=0) for each in alone]
        return named(run(spec.batch, repeated)), spec.batch
    one_by_one = named(run(None, alone))
    try:
        together = dict(zip(graph.outputs, run(None, [probes])[0], strict=True))
    except ModelError:
        return one_by_one, 1
    fits = all(_agree(one_by_one[output], together[output]) for output in graph.outputs)
    return one_by_one, None if fits else 1


def _agree(alone: NDArray[np.float32], together: NDArray[np.float32]) -> bool:
    if alone.shape != together.shape:
        return False
    spread = float(np.ptp(np.nan_to_num(alone), axis=0).max(initial=0.0))
    return bool(np.allclose(alone, together, rtol=0, atol=SAME * spread, equal_nan=True))


def _chosen(
    graph: ForeignGraph, contract: Contract, answers: dict[str, NDArray[np.float32]]
) -> str:
    if contract.output is not None and contract.output not in answers:
        raise ConfigError(
            f"{graph.path} has no output {contract.output!r}; it has {', '.join(answers)}"
        )
    width = sum(head.width for head in contract.heads)
    fitting = [name for name, rows in answers.items() if width in (0, rows.shape[1])]
    candidates = fitting if contract.output is None else [contract.output]
    if len(candidates) == 1 and candidates[0] in fitting:
        return candidates[0]
    gives = "; ".join(
        f"{name}: {counted(rows.shape[1], 'number')}"
        + (" that sum to 1" if _is_distribution(rows) else "")
        for name, rows in answers.items()
    )
    if len(fitting) > 1:
        raise ConfigError(
            f"{graph.path} has several outputs ({gives}); choose one with --output NAME"
        )
    raise ConfigError(f"{graph.path} gives {gives}; --classes names {width}")


def _is_distribution(rows: NDArray[np.float32]) -> bool:
    sums = rows.sum(axis=1)
    return bool(rows.shape[1] > 1 and (rows >= 0).all() and (abs(sums - 1) < SUMS_TO_ONE).all())


def _meaning(
    graph: ForeignGraph, spec: ModelSpec, output: str, rows: NDArray[np.float32]
) -> tuple[Answer, tuple[str, ...]]:
    """Return the output as our graph will give it, and what it was taken for."""
    if spec.task == "embed":
        words = f"{output} is taken as the embedding, {counted(spec.dim, 'number')}"
        return Answer(output, OUTPUT_NAME), (words,)
    heads, words_of_heads = [], []
    for head, place in columns_of(spec.heads):
        is_logits = bool(head.classes) and not _is_distribution(rows[:, place])
        if is_logits and last_operator(graph, output) == "Sigmoid":
            raise ModelError(
                f"{graph.path} ends in a sigmoid: its classes do not exclude each other, so none is the prediction"
            )
        kind = "logits, a softmax was added" if is_logits else "probabilities"
        heads.append((head, is_logits))
        words_of_heads.append(
            f"{head.name}: {kind} ({', '.join(head.classes)})"
            if head.classes
            else f"{head.name}: a number"
        )
    return Answer(output, PROBABILITIES, tuple(heads)), tuple(words_of_heads)
