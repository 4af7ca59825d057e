"""A cold `embed` (list, read, decode, resize, measure, keep, embed, write) beside bare onnxruntime.

    python -m benchmarks.cold_run path/to/UTKFace --images 1024 --repeats 5

Both sides use the same model, threads and batch, and run alternately in one process.
Bare = `session.run` in a loop over batches that are in memory already.
Not measured: fetching and exporting the model, clustering, the audit.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import summary, write_result
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.embed.session import EmbedSession, choose_provider
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.pack.decode import decode_image
from fer_audit.pipeline import run_audit
from fer_audit.progress import Silent
from fer_audit.store import cache_folder
from fer_audit.synth import demo_dataset


def main() -> None:
    """Measure and write results/cold_run.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", type=Path, help="default: the drawn demo set")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="resnet50-keras")
    arguments = parser.parse_args()

    config = AuditConfig(model=arguments.model, sample=arguments.images)
    source = arguments.dataset or demo_dataset(None)
    model = find_or_export(
        config.model,
        config.precision,
        models_dir=models_folder(None, None),
        weights_dir=cache_folder(None) / "weights",
        progress=Silent(),
    )
    session = EmbedSession(model, choose_provider("auto"), batch_size=config.batch_size)
    dataset = load_dataset(source, config)
    n = len(dataset)
    pixels = np.zeros((n, model.spec.size, model.spec.size, 3), np.uint8)
    for row, file_id in enumerate(dataset.ids):
        pixels[row] = decode_image(
            (dataset.root / file_id).read_bytes(), file_id, model.spec.size
        ).pixels

    expected = bare(session, pixels)[1]
    cold_seconds, bare_seconds = [], []
    for repeat in range(arguments.repeats):
        seconds, vectors = bare(session, pixels)
        bare_seconds.append(seconds)
        seconds, cold_vectors = cold(source, config)
        cold_seconds.append(seconds)
        if not (np.array_equal(vectors, expected) and np.array_equal(cold_vectors, expected)):
            raise SystemExit("the two sides do not give the same vectors")
        print(  # noqa: T201 - a benchmark talks
            f"{repeat + 1}/{arguments.repeats}  bare {n / bare_seconds[-1]:.2f}  "
            f"cold {n / cold_seconds[-1]:.2f} images/s"
        )
    ratios = [b / c for b, c in zip(bare_seconds, cold_seconds, strict=True)]
    path = write_result(
        "cold_run",
        {
            "command": f"python -m benchmarks.cold_run DATASET --images {n} --repeats {arguments.repeats}",
            "images": n,
            "model": {"name": model.spec.name, "sha256": model.sha256, "precision": "fp32"},
            "provider": session.provider,
            "batch_size": config.batch_size,
            "page_cache": "warm",
            "bare_seconds": bare_seconds,
            "cold_seconds": cold_seconds,
            "bare_images_per_second": summary(bare_seconds, n),
            "cold_images_per_second": summary(cold_seconds, n),
            "cold_over_bare": statistics.median(ratios),
        },
    )
    print(f"cold / bare: {statistics.median(ratios):.3f}   -> {path}")  # noqa: T201 - a benchmark talks


def bare(session: EmbedSession, pixels: NDArray[np.uint8]) -> tuple[float, NDArray[np.float32]]:
    """Return the seconds and vectors of the model alone."""
    vectors = np.empty((len(pixels), session.dim), np.float32)
    started = time.perf_counter()
    for start in range(0, len(pixels), session.batch_size):
        stop = start + session.batch_size
        vectors[start:stop] = session.embed(pixels[start:stop])
    return time.perf_counter() - started, vectors


def cold(source: Path, config: AuditConfig) -> tuple[float, NDArray[np.float32]]:
    """Return the seconds and vectors of the `embed` stage with an empty cache; loading the model is in it."""
    folder = Path(tempfile.mkdtemp(prefix="fer-audit-bench-"))
    try:
        run = run_audit(
            source,
            folder / "run",
            config=config,
            resources=Resources(cache_dir=folder / "cache", models_dir=models_folder(None, None)),
            until="embed",
        )
        seconds = next(timing.seconds for timing in run.timings if timing.stage == "embed")
        return seconds, np.load(folder / "run" / "embeddings.npy")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
