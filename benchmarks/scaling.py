"""How time and memory grow with n: whole runs up to 100,000 images, clusters and audit of up to a million rows.

    python -m benchmarks.scaling --dataset path/to/UTKFace
    python -m benchmarks.scaling --quick

Whole runs: prefixes of a set and drawn faces go through `run_audit` from an empty cache, pixels not kept.
The model is a small made one of the default one's width (2,048 numbers of 192 block means, seeded): ResNet50 costs the same
for every image, and 100,000 of them would hide all else behind half an hour. A shard is 3 MB here, 39 MB at 224 pixels.
Rows: seeded blobs on disk, read as a memory map, through `cluster_embeddings` with stability and `audit`.
Every n is a process of its own. Peak memory is sampled every 10 ms, anonymous pages and pages of files apart: those of a
memory map can be dropped at any time. The exponent is the slope of log seconds over log n, by least squares.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import RESULTS, machine_facts, write_result
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.run import audit
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.types import Attribute, FaceDataset, Kind
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ModelSpec
from fer_audit.pack.rows import empty_rows
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.cached_analyses import extra_partitions
from fer_audit.pipeline.types import Work
from fer_audit.progress import Silent
from fer_audit.synth import write_demo

SIZE = 64
"""Pixels of the model's images: 100,000 of 224 would take four minutes to resize and cast, of which nothing is learnt."""
BLOCK = 4096
DISTINCT_FACES = 2_000
"""Drawn ones of a large set; the others are these with other bytes behind the picture, so that no file is a copy."""

NOT_MEASURED = (
    "ResNet50: its time grows with n and nothing else, its memory does not",
    "reading from a disk: files were written just before and lie in the page cache",
    "a pack: --pack off",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    images: tuple[int, ...]
    """Prefixes of the set; of the drawn one where there is none."""
    drawn: int
    """Images of the drawn set."""
    rows: tuple[int, ...]
    """Rows of float32 blobs: clusters with stability, then the audit."""
    half_rows: tuple[int, ...]
    """Rows of float16 blobs: one partition, without sweep and stability."""
    dim: int
    config: dict[str, int]


FULL = Plan(
    images=(1_000, 5_000, 23_707),
    drawn=100_000,
    rows=(10_000, 100_000, 1_000_000),
    half_rows=(1_000_000,),
    dim=2048,
    config={"k": 4, "seed": 42},
)
QUICK = Plan(
    images=(),
    drawn=60,
    rows=(1_000, 3_000),
    half_rows=(2_100,),
    dim=64,
    config={
        "k": 4,
        "seed": 42,
        "permutations": 199,
        "bootstraps": 199,
        "replay": 5,
        "sweep_max": 2,
    },
)


def main() -> None:
    """Measure, or be the process that measures one n."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--dataset", type=Path, help="a folder of faces; default: drawn ones")
    parser.add_argument("--quick", action="store_true", help="small n, nothing written")
    parser.add_argument("--work", type=Path, help="a place for 10 GB; default: the temporary one")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        job = json.loads(asked.child)
        done = _whole_run(job) if job["what"] == "run" else _rows(job)
        say(json.dumps(done))
        return
    began = time.perf_counter()
    facts = machine_facts()
    with tempfile.TemporaryDirectory(prefix="fer-audit-scaling-", dir=asked.work) as work:
        document = measure(QUICK if asked.quick else FULL, asked.dataset, Path(work))
        command = "python -m benchmarks.scaling"
        command += f" --dataset path/to/{asked.dataset.name}" if asked.dataset else ""
        if not asked.quick:
            whole = {"command": command, "machine": facts, **document}
            say(f"-> {write_result(asked.results, 'scaling', whole)}")
    say(f"{time.perf_counter() - began:.0f} s in all")


def measure(plan: Plan, dataset: Path | None, work: Path) -> dict[str, Any]:
    """Return the raw numbers of every n, and the exponent of every stage."""
    model = save_small_model(work / "model" / "block-means.onnx", plan.dim)
    drawn = work / "drawn"
    write_drawn(drawn, plan.drawn)
    samples: dict[str, list[dict[str, Any]]] = {"run": [], "rows": [], "half_rows": []}
    for n in plan.images:
        samples["run"].append(
            _child(
                work,
                what="run",
                config=plan.config,
                n=n,
                source=str(dataset or drawn),
                model=str(model),
            )
        )
    samples["run"].append(
        _child(
            work, what="run", config=plan.config, n=plan.drawn, source=str(drawn), model=str(model)
        )
    )
    for kind, sizes in (("rows", plan.rows), ("half_rows", plan.half_rows)):
        for n in sizes:
            path = work / "rows.npy"
            write_blobs(path, n, plan.dim, "float32" if kind == "rows" else "float16")
            samples[kind].append(
                _child(work, what=kind, config=plan.config, n=n, vectors=str(path))
            )
            path.unlink()
    return {
        "model": f"{plan.dim} rectified seeded sums of 8 x 8 block means, {SIZE} x {SIZE}",
        "set": dataset.name if dataset else "drawn faces",
        "drawn": f"{plan.drawn} drawn faces, of which {min(plan.drawn, DISTINCT_FACES)} are different pictures",
        "shape": [None, plan.dim],
        "samples": samples,
        "exponents": {kind: exponents(found) for kind, found in samples.items()},
        "not_measured": NOT_MEASURED,
    }


def exponents(samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the slope of log seconds over log n of every stage that has two n or more."""
    slopes = {}
    for stage in samples[0]["stages"]:
        points = [(each["n"], each["stages"][stage]["seconds"]) for each in samples]
        x, y = np.log(np.array(points)).T
        if np.ptp(x) > 0:
            slopes[stage] = float(np.polyfit(x, y, 1)[0])
    return slopes


def _child(work: Path, **job: object) -> dict[str, Any]:
    """Measure one n in a fresh process."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.scaling",
        "--child",
        json.dumps({**job, "work": str(work)}),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    told = "  ".join(f"{name} {_told(stage)}" for name, stage in found["stages"].items())
    say(f"{found['what']} n = {found['n']:,}: {told}")
    return found


def _told(stage: Mapping[str, float]) -> str:
    words = f"{stage['seconds']:.1f} s"
    if "peak_mib" in stage:
        words += f" ({stage['peak_anonymous_mib']} + {stage['peak_files_mib']} MiB)"
    return words


class Memory:
    """Samples this process' resident memory, and keeps the largest value of each kind."""

    def __init__(self) -> None:
        self.reset()
        threading.Thread(target=self._watch, daemon=True).start()

    def reset(self) -> None:
        """Forget what was seen."""
        self.anonymous, self.files, self.both = 0, 0, 0

    def look(self) -> None:
        """Take one sample."""
        lines = Path("/proc/self/status").read_text().splitlines()
        kib = {
            key: int(rest.split()[0])
            for key, _, rest in (x.partition(":") for x in lines)
            if key.startswith("Rss")
        }
        files = kib["RssFile"] + kib["RssShmem"]
        self.anonymous = max(self.anonymous, kib["RssAnon"])
        self.files = max(self.files, files)
        self.both = max(self.both, kib["RssAnon"] + files)

    def _watch(self) -> None:
        while True:
            self.look()
            time.sleep(0.01)


class Stages:
    """Seconds and peak memory of each stage of this process."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        self.memory.reset()
        began, worked = time.perf_counter(), time.process_time()
        yield
        memory = self.memory
        memory.look()
        self.found[name] = {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - worked,
            "peak_anonymous_mib": memory.anonymous // 1024,
            "peak_files_mib": memory.files // 1024,
            "peak_mib": memory.both // 1024,
        }


def _whole_run(job: dict[str, Any]) -> dict[str, Any]:
    """Run one set from an empty cache to its page."""
    n = job["n"]
    folder = Path(job["work"]) / f"run-{n}"
    stages = Stages()
    config = AuditConfig.of(**job["config"], model=job["model"], sample=n)
    with stages.stage("whole"):
        run = run_audit(
            job["source"],
            folder / "run",
            config=config,
            resources=Resources(cache_dir=folder / "cache", pack="off"),
        )
    assert run.result is not None  # noqa: S101 - the whole of it was asked for
    whole = stages.found["whole"]
    timed = {each.stage: {"seconds": each.seconds} for each in run.timings}
    return {
        "what": "run",
        "n": len(run.dataset),
        "ok": run.result.dataset.ok,
        "stages": {"whole": whole, **timed},
    }


def _rows(job: dict[str, Any]) -> dict[str, Any]:
    """Cluster and audit the rows of a file."""
    n, whole = job["n"], job["what"] == "rows"
    vectors = np.load(job["vectors"], mmap_mode="r", allow_pickle=False)
    dataset, rows = drawn_rows(n)
    config = AuditConfig.of(**job["config"])
    stages = Stages()
    with stages.stage("cluster"):
        clustering = cluster_embeddings(
            vectors,
            rows.ok,
            config.clusters if whole else replace(config.clusters, sweep_max=1),
            seed=config.seed,
            stability=whole,
            progress=Silent(),
        )
    if whole:
        facts = ModelFacts("blobs", "0" * 64, "none", "fp32", vectors.shape[1])
        embeddings = Embeddings(vectors, rows.ok, rows.reasons, facts, "0" * 64)
        with stages.stage("audit"):
            audit(
                AuditInputs(
                    dataset=dataset,
                    rows=rows,
                    embeddings=embeddings,
                    clustering=clustering,
                    config=config,
                    extra=extra_partitions(Work(rows, embeddings, clustering), config, Silent()),
                )
            )
    return {
        "what": job["what"],
        "n": n,
        "dtype": str(vectors.dtype),
        "inertia": clustering.inertia,
        "stages": stages.found,
    }


def save_small_model(path: Path, dim: int) -> Path:
    """Write a model that costs little: 8 x 8 block means of each colour, times a seeded matrix, negative ones to 0."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    side = SIZE // 8
    rng = np.random.default_rng(0)
    weights = (rng.standard_normal((192, dim)) / 192).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["floats"], ["nchw"], perm=[0, 3, 1, 2]),
            helper.make_node(
                "AveragePool", ["nchw"], ["means"], kernel_shape=[side] * 2, strides=[side] * 2
            ),
            helper.make_node("Flatten", ["means"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["embedding"]),
        ],
        "block-means",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dim])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    spec = ModelSpec(
        name="block-means",
        task="embed",
        size=SIZE,
        dim=dim,
        colour="RGB",
        mean=(0.0, 0.0, 0.0),
        scale=(1.0, 1.0, 1.0),
        weights="seeded",
        licence="CC0-1.0",
        citation="none",
    )
    path.parent.mkdir(parents=True)
    save_model(model, spec, "fp32", path)
    return path


def write_drawn(folder: Path, n: int) -> None:
    """Write n drawn faces with labels; a comment in each JPEG makes its bytes its own."""
    distinct = min(n, DISTINCT_FACES)
    base = folder.with_name("distinct")
    write_demo(base, distinct)
    pictures = [path.read_bytes() for path in sorted((base / "faces").iterdir())]
    header, *labels = (base / "labels.csv").read_text().splitlines()
    (folder / "faces").mkdir(parents=True)
    lines = [header]
    for i in range(n):
        name = f"faces/{i:07}.jpg"
        picture = pictures[i % distinct]
        # start of image, a comment segment of 2 + 8 bytes, and the rest of the picture
        comment = b"\xff\xfe" + (10).to_bytes(2) + i.to_bytes(8)
        (folder / name).write_bytes(picture[:2] + comment + picture[2:])
        lines.append(f"{name},{labels[i % distinct].partition(',')[2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def write_blobs(path: Path, n: int, dim: int, dtype: str) -> None:
    """Write an .npy of n seeded rows around 10 centres in 4 groups, block by block.

    Noise is a window, at a drawn place, into three blocks of it, and scaled anew in each row: drawing 2 x 10^9 numbers
    would take as long as the clusters.
    """
    rng = np.random.default_rng(0)
    centres = rng.gamma(0.5, 1.0, (4, dim))[np.arange(10) % 4] + 0.6 * rng.gamma(
        0.5, 1.0, (10, dim)
    )
    noise = rng.standard_normal((3 * BLOCK, dim), dtype=np.float32) * np.float32(0.5)
    blobs = _blob_of(n)
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": (n, dim),
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, BLOCK):
            here = blobs[start : start + BLOCK]
            place = int(rng.integers(0, 2 * BLOCK))
            scale = rng.uniform(0.6, 1.4, (len(here), 1)).astype(np.float32)
            block = noise[place : place + len(here)] * scale + centres.astype(np.float32)[here]
            file.write(np.maximum(block, 0).astype(dtype).data)


def _blob_of(n: int) -> NDArray[np.intp]:
    return np.random.default_rng(1).integers(0, 10, n)


def drawn_rows(n: int) -> tuple[FaceDataset, Any]:
    """Return a set of n images that were never made, and what a pack would know of them.

    One label goes together with the blobs, one with the style, two with nothing.
    """
    rng = np.random.default_rng(2)
    columns: dict[str, tuple[int, NDArray[Any], Kind]] = {
        "race": (
            5,
            np.where(rng.random(n) < 0.3, _blob_of(n) % 5, rng.integers(0, 5, n)),
            "demographic",
        ),
        "gender": (2, rng.integers(0, 2, n), "demographic"),
        "age_bin": (9, rng.integers(0, 9, n), "demographic"),
        "session": (20, rng.integers(0, 20, n), "batch"),
    }
    attributes = tuple(
        Attribute(name, tuple(map(str, range(groups))), codes.astype(np.int16), kind)
        for name, (groups, codes, kind) in columns.items()
    )
    names = tuple(f"{row:08d}" for row in range(n))
    dataset = FaceDataset(
        name="drawn rows",
        root=Path("drawn"),
        source=Files("drawn", names, np.full(n, 1, np.int64), np.zeros(n, np.int64)),
        ids=names,
        attributes=attributes,
        ages=None,
        rejects=(),
        notes=(),
        label_source="The labels were drawn by lot.",
        parent=None,
        fingerprint="0" * 64,
    )
    rows = empty_rows(n)
    rows.ok[:] = True
    rows.sha256[:] = [f"{row:064x}".encode() for row in range(n)]
    rows.style[:] = rng.random(rows.style.shape, dtype=np.float32)
    rows.style[:, 0] += columns["gender"][1] * np.float32(0.1)
    rows.widths[:] = rows.heights[:] = 200
    return dataset, rows


def say(line: str) -> None:
    """Print one line at once."""
    print(line, flush=True)  # noqa: T201 - a benchmark talks


if __name__ == "__main__":
    main()
