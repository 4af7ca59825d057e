"""Files to vectors: the same faces through our pipeline, the model alone, and what others do.

Timed: from files on disk to an array of vectors, models loaded beforehand; our cold run loads its model within.
Reference of the outputs: our bare session in fp32; for the paper's pipeline, our export of the same preprocessing.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleave import Peer, Race, UnequalOutputs, race
from benchmarks.network import save_keras_arrays, save_narrow_network, without_preprocessing
from benchmarks.options import SMOKE_IMAGES, Options
from benchmarks.worker import Worker
from fer_audit.config import AuditConfig, Precision, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.encoders.resnet50 import load_keras_resnet50
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import FerAuditError
from fer_audit.pipeline.model import find_model
from fer_audit.pipeline.quantized import relative_error
from fer_audit.progress import Silent
from fer_audit.store.stage import cache_folder
from fer_audit.synth.folder import write_demo

PRECISIONS: tuple[Precision, ...] = ("fp32", "int8")
"""Ours. One that cannot be exported is not measured, and the result says why."""

LOOP_BATCHES = (1, 8, 32)

LEAST_COSINE = 0.9999
"""Of an fp32 peer, for every image."""
LARGEST_DIFFERENCE = 1e-3
"""Of an fp32 peer, as a share of the largest number in the reference."""
LARGEST_ERROR = {"int8": 0.25, "fp16": 0.02}
"""Of a precision that rounds: ||v - ref|| / ||ref - its mean||, over all images. One vector for all faces has 1, the vectors
of other faces 1.4; a cosine says little, two faces have 0.67 on average."""

NOT_MEASURED = (
    "a GPU",
    "batches of several processes at once",
    "a cold page cache: every file was read a moment before",
    "the start of the processes, and (but for our cold runs) loading the model",
)


def measure(options: Options) -> dict[str, Any]:
    """Race all peers over the same faces."""
    faces, names = copy_faces(options)
    narrow = save_narrow_network(options.work / "narrow.onnx") if options.smoke else None
    models = _models(narrow, options.dataset or faces)
    fp32 = models["fp32"]
    if isinstance(fp32, str):
        raise SystemExit(f"no model to measure: {fp32}")
    network = options.work / "network.onnx"
    common = {"faces": str(faces), "names": names, "size": fp32.spec.size}
    loop = {
        **common,
        "network": str(network),
        "mean": without_preprocessing(fp32.path, network),
    }
    ours = {
        **common,
        "work": str(options.work),
        "model": "resnet50-keras" if narrow is None else str(narrow.path),
    }
    peers = _our_peers(ours, models) + _loop_peers(loop)
    if not options.smoke:
        peers += [*_torch_peers(loop), _paper_peer(common, options.work)]
    references = {"fp32": _reference({**ours, "precision": "fp32"}, options.work)}
    if not options.smoke:
        paper = {**ours, "model": "resnet50-keras-paper", "precision": "fp32"}
        references["paper"] = _reference(paper, options.work)
    return {
        "unit": "images",
        "images": len(names),
        "faces": "drawn" if options.dataset is None else options.dataset.name,
        "page_cache": "warm",
        "models": {
            name: model if isinstance(model, str) else model.sha256
            for name, model in models.items()
        },
        **race(
            Race(
                peers=peers,
                ratios=RATIOS,
                items=len(names),
                repeats=options.repeats,
                warm_up=True,
                check=lambda peer, output: check(peer, output, references),
            ),
            work=options.work,
            environments=options.environments,
            say=options.say,
        ),
        "not_measured": NOT_MEASURED,
    }


RATIOS = (
    ("embed from a pack, compared with the model alone", "pack-fp32", "bare-fp32"),
    ("cold run, compared with the model alone", "cold-fp32", "bare-fp32"),
    ("cold run, compared with the paper's pipeline", "cold-fp32", "paper"),
    ("cold run, compared with a plain ONNX Runtime loop", "cold-fp32", "loop-32"),
    ("cold run, compared with torch eager", "cold-fp32", "torch-eager"),
    ("cold run, compared with torch channels_last", "cold-fp32", "torch-channels-last"),
    ("int8 model alone, compared with fp32", "bare-int8", "bare-fp32"),
    ("int8 embed from a pack, compared with the model alone", "pack-int8", "bare-int8"),
    ("int8 cold run, compared with the model alone", "cold-int8", "bare-int8"),
    ("int8 cold run, compared with the fp32 one", "cold-int8", "cold-fp32"),
    ("int8 cold run, compared with the paper's pipeline", "cold-int8", "paper"),
)


def copy_faces(options: Options) -> tuple[Path, list[str]]:
    """Return a folder with the faces of this run, and their names in it: a seeded sample, or drawn ones."""
    folder = options.work / "faces"
    if options.smoke or options.dataset is None:
        write_demo(folder, SMOKE_IMAGES if options.smoke else options.images)
        return folder, list(load_dataset(folder, AuditConfig()).ids)
    sample = load_dataset(options.dataset, AuditConfig.of(sample=options.images))
    for name in sample.ids:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.root / name, folder / name)
    return folder, list(sample.ids)


def _models(narrow: ExportedModel | None, dataset: Path) -> dict[Precision, ExportedModel | str]:
    """Return our model in every precision, or why there is none; int8 is calibrated on `dataset`."""
    if narrow is not None:
        return {"fp32": narrow}
    found: dict[Precision, ExportedModel | str] = {}
    for precision in PRECISIONS:
        config = AuditConfig.of(precision=precision)
        try:
            model = find_model(load_dataset(dataset, config), config, Resources(), Silent())
            assert isinstance(model, ExportedModel)  # noqa: S101  # the default one
            found[precision] = model
        except FerAuditError as exc:
            found[precision] = f"{exc}. {exc.hint}" if exc.hint else str(exc)
    return found


def _our_peers(setup: dict[str, Any], models: dict[Precision, ExportedModel | str]) -> list[Peer]:
    peers = []
    for precision, model in models.items():
        for name, label, group in (
            ("bare", "the model alone, inputs in memory", "model"),
            ("pack", "fer-audit embed over packed pixels, model loaded", "ours"),
            ("cold", "fer-audit embed, cold", "ours"),
        ):
            peers.append(
                Peer(
                    name=f"{name}-{precision}",
                    label=f"{label}, {precision}",
                    group=group,
                    module=f"benchmarks.ours.{name}",
                    setup={**setup, **_which(precision, model)},
                    trouble=model if isinstance(model, str) else "",
                )
            )
    return peers


def _which(precision: Precision, model: ExportedModel | str) -> dict[str, str]:
    """Return how a peer asks for a model: int8 by its file, which was made for the whole set."""
    if precision == "int8" and not isinstance(model, str):
        return {"precision": precision, "model": str(model.path)}
    return {"precision": precision}


def _loop_peers(setup: dict[str, Any]) -> list[Peer]:
    return [
        Peer(
            name=f"loop-{batch}",
            label=f"plain ONNX Runtime loop, batch {batch}",
            group="others",
            module="benchmarks.baselines.onnx_loop",
            setup={**setup, "batch": batch},
        )
        for batch in LOOP_BATCHES
    ]


def _torch_peers(setup: dict[str, Any]) -> list[Peer]:
    return [
        Peer(
            name=f"torch-{name}",
            label=f"torch, {label}, batch 32",
            group="others",
            module="benchmarks.baselines.torch_graph",
            environment="torch",
            setup={**setup, "batch": 32, "channels_last": name == "channels-last"},
        )
        for name, label in (("eager", "eager"), ("channels-last", "channels_last"))
    ]


def _paper_peer(setup: dict[str, Any], work: Path) -> Peer:
    weights = work / "keras-weights.npz"
    layers = load_keras_resnet50(cache_folder(None) / "weights", None, Silent())
    save_keras_arrays(layers, weights)
    return Peer(
        name="paper",
        label="the paper's pipeline: Keras, TensorFlow, one float64 array",
        group="others",
        module="benchmarks.baselines.keras_paper",
        environment="keras",
        setup={**setup, "weights": str(weights)},
    )


def _reference(setup: dict[str, Any], work: Path) -> NDArray[np.float32]:
    """Return what our bare session gives; it is gone before anything is timed."""
    name = "reference"
    with Worker(Path(sys.executable), "benchmarks.ours.bare", setup, work, name) as worker:
        worker.begin()
        worker.ready()
        answer = worker.go(0)
        vectors: NDArray[np.float32] = np.load(answer.output, allow_pickle=False)
    return vectors


def check(
    peer: str, vectors: NDArray[np.float32], references: dict[str, NDArray[np.float32]]
) -> dict[str, float]:
    """Return how well a peer's vectors agree with ours. Raises UnequalOutputs when they are others."""
    reference = references["paper" if peer == "paper" else "fp32"]
    if vectors.shape != reference.shape:
        raise UnequalOutputs(f"{peer} gives {vectors.shape}, the reference is {reference.shape}")
    one, other = vectors.astype(np.float64), reference.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines = np.einsum("nd,nd->n", one, other) / lengths
    found = {
        "least_cosine": float(cosines.min()),
        "mean_cosine": float(cosines.mean()),
        "largest_difference": float(np.abs(one - other).max() / np.abs(other).max()),
    }
    kind, _, precision = peer.partition("-")
    is_ours = kind in ("bare", "pack", "cold")
    if is_ours and precision in LARGEST_ERROR:
        found["error_of_spread"] = relative_error(reference, vectors)
        agrees = found["error_of_spread"] <= LARGEST_ERROR[precision]
    elif is_ours:
        agrees = np.array_equal(vectors, reference)
    else:
        agrees = (
            found["least_cosine"] >= LEAST_COSINE
            and found["largest_difference"] <= LARGEST_DIFFERENCE
        )
    if not agrees:
        raise UnequalOutputs(f"{peer} does not compute what it should: {found}")
    return found
