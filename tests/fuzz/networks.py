"""Networks of other people's as fuzz targets: TensorFlow.js, Keras' HDF5, and any ONNX file on its way into ours."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from onnx import TensorProto

from fer_audit.encoders.catalog import CatalogEntry, catalog_entry
from fer_audit.encoders.export import build_packaged
from fer_audit.encoders.foreign import Answer, contract_for, look_into, wrapped
from fer_audit.encoders.packaged import MAX_BYTES
from fer_audit.encoders.presets import Contract
from fer_audit.encoders.types import ModelSpec
from tests.encoders import test_packaged as packaged
from tests.foreign_graphs import Drawn

_SPEC = packaged.spec("grey")
_KERAS = packaged.seeded(**packaged.KERAS)
_ASKED = Contract(8, None, "RGB", (0.0,), (1.0,), "embed")


def _zipped(**members: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, data in members.items():
            opened.writestr(f"net/{name}", data)
    return archive.getvalue()


def feed_packaged(data: bytes, folder: Path) -> None:
    """Convert a network: a Keras configuration, or the document of a graph-model up to an empty line, and its shard.

    The HDF5 around the configuration is not edited: a pinned hash stands before it, and its C library may not come back
    from a broken one.
    """
    if data.startswith(b'{"config"'):
        archive = packaged.wheel(data.decode(errors="replace").replace("\0", " "), _KERAS)
        entry = CatalogEntry(_SPEC, "keras", None, "net/model.hdf5")
    else:
        document, _, shard = data.partition(b"\n\n")
        kind = "faceapi" if document.startswith(b"[") else "tfjs"
        file = "net/file" if kind == "tfjs" else "net/age_gender_model"
        entry = CatalogEntry(_SPEC, kind, None, file)
        manifest = {"age_gender_model-weights_manifest.json": document}
        archive = _zipped(file=document, shard=shard, **manifest)
    model = build_packaged(entry, archive)
    assert len(model.graph.output) == 1


def packaged_networks() -> Iterable[bytes]:
    """Yield a small network of each kind."""
    weights = packaged.seeded(k=(3, 3, 1, 3), b=(3,), dk=(3, 3, 3, 1))
    entries = [
        {"name": name, "shape": list(array.shape), "dtype": "float32"}
        for name, array in weights.items()
    ]
    entries.append({"name": "axes", "shape": [2], "dtype": "int32"})
    blob = b"".join(array.tobytes() for array in weights.values())
    blob += np.array([1, 2], np.int32).tobytes()
    manifest = [{"paths": ["shard"], "weights": entries}]
    document = {"modelTopology": {"node": packaged.GRAPH}, "weightsManifest": manifest}
    yield json.dumps(document).encode() + b"\n\n" + blob
    quantized = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    entry = {"name": "w", "shape": [4], "dtype": "float32", "quantization": quantized}
    yield json.dumps([{"paths": ["shard"], "weights": [entry]}]).encode() + b"\n\n" + b"\0" * 4
    yield json.dumps({"config": {"layers": packaged.LAYERS}}).encode()


def feed_foreign(data: bytes, folder: Path) -> None:
    """Look into somebody's ONNX file and wrap it; it is not run."""
    path = folder / "m.onnx"
    path.write_bytes(data)
    graph = look_into(path)
    contract = contract_for(graph, _ASKED)
    spec = replace(
        catalog_entry("resnet50-tv").spec,
        size=contract.size or 0,
        colour=contract.colour or "RGB",
        mean=contract.mean,
        scale=contract.scale,
    )
    assert isinstance(spec, ModelSpec)
    answers = [Answer(name, f"output_{i}") for i, name in enumerate(graph.outputs)]
    assert len(wrapped(graph, spec, contract.layout, answers).SerializeToString()) < MAX_BYTES


def foreign_models() -> Iterable[bytes]:
    """Yield a plain graph, one with more nodes around it, and what is no model."""
    yield Drawn(sides=(8, 8)).model().SerializeToString()
    yield (
        Drawn("NHWC", TensorProto.UINT8, 1, 3, (8, 8), last="Softmax").model().SerializeToString()
    )
    yield b"version https://git-lfs.github.com/spec/v1"
    yield b"<!DOCTYPE html>"
