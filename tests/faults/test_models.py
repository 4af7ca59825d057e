"""A model file is code: whatever is wrong with it ends in exit 2, and onnxruntime is not even loaded.

Each case is a process of its own that runs the whole command line. They are forked from one that has imported what a
refusal needs, so that fifty of them take seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.catalog import KERAS_H5_BYTES, KERAS_H5_MD5, NPM_BYTES, NPM_SHA512
from fer_audit.encoders.sidecar import (
    MOST_PARTS,
    MOST_SIDECAR_BYTES,
    check_graph,
    load_model,
    sidecar_path,
)
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from tests.encoders.test_sidecar import external_tensor, vouched
from tests.faults.conftest import QUICK, Program
from tests.faults.crowd import Crowd, Ended
from tests.graphs import SIZE, make_graph, mean_colour_graph, save

REFUSING = "import fer_audit.cli.app, fer_audit.cli.models, fer_audit.cli.run, fer_audit.pipeline.run, onnx"
"""What a refusal needs; no run may find onnxruntime imported already."""

Forked = Callable[..., Ended]


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """Give the command line as forked processes: words in, how it ended out."""
    with Crowd(tmp_path_factory.mktemp("forked"), imports=REFUSING) as crowd:
        yield crowd.run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Give a good model, to be copied and broken."""
    return save(mean_colour_graph(), tmp_path_factory.mktemp("good") / "good.onnx")


@pytest.fixture
def refused(forked: Forked, faces: Path, tmp_path: Path) -> Callable[[Path], str]:
    """Give a check: `run` refuses a model with 2 before onnxruntime is loaded, and leaves no result."""

    def check(path: Path) -> str:
        out = tmp_path / "run"
        answer = forked(
            *("run", faces, "--model", path, "--out", out, "--cache-dir", tmp_path / "cache"),
            *QUICK,
        )
        assert answer.code == 2, answer
        assert answer.text.startswith("fer-audit: "), answer.text
        assert not answer.runtime, answer.text
        assert not (out / "result.json").exists()
        return answer.text

    return check


@pytest.mark.core
def test_a_good_model_passes_the_same_door(
    forked: Forked, model: ExportedModel, faces: Path, tmp_path: Path
) -> None:
    """Without this, a door that refuses everything would pass every test below."""
    places = ("--out", tmp_path / "run", "--cache-dir", tmp_path / "cache")

    answer = forked("embed", faces, "--model", model.path, *places)

    assert answer.code == 0, answer.text
    assert answer.runtime


def test_a_model_cut_anywhere_is_refused_with_both_hashes(
    refused: Callable[[Path], str], model: ExportedModel, tmp_path: Path
) -> None:
    path = tmp_path / "cut.onnx"
    shutil.copy(sidecar_path(model.path), sidecar_path(path))
    data = model.path.read_bytes()
    for tenth in (0, 5, 9):
        part = data[: len(data) * tenth // 10]
        path.write_bytes(part)

        text = refused(path)

        assert model.sha256 in text
        assert hashlib.sha256(part).hexdigest() in text


def field(number: int, data: bytes) -> bytes:
    """Return a length-delimited protobuf field, by hand: what no library would write."""
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def nested(levels: int) -> bytes:
    """Return a model whose graphs lie in attributes of each other's nodes."""
    graph = b""
    for _ in range(levels):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def with_weight(tensor: onnx.TensorProto) -> bytes:
    graph = mean_colour_graph()
    graph.graph.initializer.append(tensor)
    data: bytes = graph.SerializeToString()
    return data


def with_last_node(node: onnx.NodeProto, *domains: str) -> bytes:
    nodes = [*mean_colour_graph().graph.node[:-1], node]
    data: bytes = make_graph(nodes, domains=("", *domains)).SerializeToString()
    return data


def declared(change: Callable[[onnx.GraphProto], object]) -> bytes:
    graph = mean_colour_graph()
    change(graph.graph)
    data: bytes = graph.SerializeToString()
    return data


def taking(kind: int, *shape: str | int) -> bytes:
    value = helper.make_tensor_value_info("images", kind, shape)
    return declared(lambda graph: graph.input[0].CopyFrom(value))


def giving(kind: int, *shape: str | int) -> bytes:
    value = helper.make_tensor_value_info("embedding", kind, shape)
    return declared(lambda graph: graph.output[0].CopyFrom(value))


UINT8, FLOAT, INT32 = TensorProto.UINT8, TensorProto.FLOAT, TensorProto.INT32
MORE = helper.make_tensor_value_info("more", FLOAT, [1])
HUGE = TensorProto(name="w", data_type=FLOAT, dims=[1 << 20, 1 << 20], raw_data=b"\0" * 8)
NEGATIVE = TensorProto(name="w", data_type=FLOAT, dims=[-1], raw_data=b"\0" * 4)
MANY = field(7, field(1, field(4, b"Neg")) * (MOST_PARTS + 1))

FOREIGN: Mapping[str, tuple[bytes, str]] = {
    "an HTML page": (b"<!DOCTYPE html><html><body>404</body></html>", "is not an ONNX file"),
    "graphs in graphs": (nested(300), "is not an ONNX file"),
    "a length of 16 EB": (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "is not an ONNX file"),
    "a tensor of 4 TB": (with_weight(HUGE), "declares 'w' with the shape [1048576, 1048576]"),
    "a negative side": (with_weight(NEGATIVE), "declares 'w' with the shape [-1]"),
    "100,001 nodes": (MANY, "more than 100,000 nodes"),
    "weights elsewhere": (with_weight(external_tensor("w")), "keeps 'w' in another file"),
    "a custom operator": (
        with_last_node(
            helper.make_node("Shell", ["pooled"], ["embedding"], domain="evil"), "evil"
        ),
        "custom operator evil::Shell",
    ),
    "a float input": (taking(FLOAT, "batch", SIZE, SIZE, 3), "it must take one uint8"),
    "channels first": (taking(UINT8, "batch", 3, SIZE, SIZE), "it must take one uint8"),
    "another size": (taking(UINT8, "batch", 8, 8, 3), "it must take one uint8"),
    "a fixed batch": (taking(UINT8, 8, SIZE, SIZE, 3), "the batch of any size"),
    "two inputs": (declared(lambda graph: graph.input.append(MORE)), "it must take one uint8"),
    "no input": (declared(lambda graph: graph.input.pop()), "takes nothing"),
    "another width": (giving(FLOAT, "batch", 4), "the sidecar says float (batch, 3)"),
    "whole numbers out": (giving(INT32, "batch", 3), "the sidecar says float (batch, 3)"),
    "no output": (declared(lambda graph: graph.output.pop()), "gives nothing"),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.core
def test_a_file_with_a_fitting_sidecar_is_refused_for_what_it_holds(
    refused: Callable[[Path], str], tmp_path: Path, kind: str
) -> None:
    data, words = FOREIGN[kind]

    assert words in refused(vouched(tmp_path / "x.onnx", data))


SIDECARS: Mapping[str, tuple[str | Mapping[str, Any], str]] = {
    "missing": ("", "Cannot read"),
    "lists in lists": ("[" * 50_000, "Cannot read"),
    "too large": (" " * MOST_SIDECAR_BYTES + "{}", "is larger than"),
    "HTML": ("<html>404</html>", "Cannot read"),
    "a name that climbs": ({"name": "../../x"}, "name must be a plain word"),
    "a name with a command": ({"name": "x; rm -rf ~"}, "name must be a plain word"),
    "an image of 1 TB": ({"size": 600_000}, "size must be a whole number"),
    "true for a size": ({"size": True}, "size must be a whole number"),
    "a vector of 4 GB": ({"dim": 1_000_000_000}, "dim must be a whole number"),
    "no number": ({"mean": [float("nan"), 0, 0]}, "3 numbers"),
    "a licence that is no text": ({"licence": ["x"]}, "licence must be a text"),
}


@pytest.mark.parametrize("kind", SIDECARS)
def test_a_sidecar_that_describes_no_model_is_refused(
    refused: Callable[[Path], str], model: ExportedModel, tmp_path: Path, kind: str
) -> None:
    change, words = SIDECARS[kind]
    path = Path(shutil.copy(model.path, tmp_path / "x.onnx"))
    document = json.loads(sidecar_path(model.path).read_text())
    if isinstance(change, str):
        sidecar_path(path).write_text(change)
    else:
        document["spec"] |= change
        sidecar_path(path).write_text(json.dumps(document))

    assert words in refused(path)


def test_a_pipe_named_onnx_is_refused_and_not_waited_for(
    refused: Callable[[Path], str], model: ExportedModel, tmp_path: Path
) -> None:
    path = tmp_path / "x.onnx"
    os.mkfifo(path)
    shutil.copy(sidecar_path(model.path), sidecar_path(path))

    assert "it is no file" in refused(path)


def test_bench_refuses_a_model_too(forked: Forked, faces: Path, tmp_path: Path) -> None:
    """It asks onnxruntime for this machine's providers first, so that is loaded; the model is not."""
    path = vouched(tmp_path / "x.onnx", FOREIGN["a custom operator"][0])

    answer = forked("bench", faces, "--model", path, "--cache-dir", tmp_path / "c")

    assert answer.code == 2, answer.text
    assert "custom operator" in answer.text


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_system_sees_no_file_of_onnxruntime_opened_for_a_refused_model(
    program: Program, faces: Path, tmp_path: Path
) -> None:
    """What sys.modules says could be a lie of ours; the kernel sees every file."""
    path = vouched(tmp_path / "x.onnx", FOREIGN["a custom operator"][0])
    log = tmp_path / "opened"

    done = program(
        *("run", faces, "--model", path, "--out", tmp_path / "run", "--cache-dir", tmp_path / "c"),
        before=("strace", "-f", "-qq", "-e", "trace=openat,open", "-o", str(log)),
    )

    assert done.returncode == 2
    opened = log.read_text()
    assert str(path) in opened
    assert "onnxruntime_pybind11_state" not in opened


def test_a_model_swapped_after_its_check_is_not_run(tmp_path: Path) -> None:
    """Both files are whole, and each fits a sidecar: only the hash that was taken at first tells them apart."""
    first = save(mean_colour_graph(), tmp_path / "x.onnx")
    checked = load_model(first.path)
    other = mean_colour_graph()
    other.producer_name = "somebody else"
    save(other, first.path)

    with pytest.raises(ModelError, match="was changed while it was in use"):
        check_graph(checked)
    with pytest.raises(ModelError, match="was changed while it was in use"):
        EmbedSession(checked, CPU, batch_size=2)
    EmbedSession(load_model(first.path), CPU, batch_size=2).close()


def test_what_runs_are_the_bytes_that_were_checked_and_not_the_path(tmp_path: Path) -> None:
    """The path is gone before onnxruntime could open it a second time."""
    model = save(mean_colour_graph(), tmp_path / "x.onnx")
    session = EmbedSession(model, CPU, batch_size=2)
    model.path.unlink()

    vectors = session.embed(np.full((2, SIZE, SIZE, 3), 7, np.uint8))

    assert (vectors == 7).all()


def test_a_graph_that_asks_for_more_memory_than_there_is_ends_the_run_in_words(
    forked: Forked, faces: Path, tmp_path: Path
) -> None:
    """Small numbers can ask for large tensors; no check sees that before it happens, and no traceback follows."""
    shape = numpy_helper.from_array(np.array([1 << 20, 1 << 22], np.int64), "shape")
    nodes = [
        *mean_colour_graph().graph.node[:-1],
        helper.make_node("ConstantOfShape", ["shape"], ["huge"], name="\x1b[2Jgone"),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
        helper.make_node("Add", ["flat", "sum"], ["embedding"]),
    ]
    path = save(make_graph(nodes, weights=[shape]), tmp_path / "x.onnx").path

    answer = forked(
        *("embed", faces, "--model", path, "--out", tmp_path / "o", "--cache-dir", tmp_path / "c")
    )

    assert answer.code == 2, answer
    assert "fer-audit: " in answer.text
    assert "\x1b" not in answer.text, "a name out of the model reached the terminal"


@pytest.mark.parametrize(
    ("name", "size", "pinned"),
    [("w.tgz", NPM_BYTES, NPM_SHA512), ("w.h5", KERAS_H5_BYTES, KERAS_H5_MD5)],
)
def test_weights_that_are_not_the_pinned_ones_are_named_with_what_was_expected(
    forked: Forked, tmp_path: Path, name: str, size: int, pinned: str
) -> None:
    path = tmp_path / name
    for data in (b"", b"<html>404</html>", b"\x1f\x8b" + bytes(4_096)):
        path.write_bytes(data)

        answer = forked(
            *("export", "--from", path, "--models-dir", tmp_path / "m", "--cache-dir", tmp_path)
        )

        assert answer.code == 2, answer.text
        assert pinned in answer.text
        assert f"it has {len(data):,} bytes, expected {size:,}" in answer.text
        assert path.read_bytes() == data, "a file of the user's is never changed"
    assert not list(tmp_path.rglob("*.onnx"))


def test_a_weights_file_that_never_ends_is_not_read_to_its_end(
    forked: Forked, tmp_path: Path
) -> None:
    """A sparse file of 1 TB: reading it would take an hour, its first 95 MB a moment."""
    path = tmp_path / "w.tgz"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    answer = forked(
        *("export", "--from", path, "--models-dir", tmp_path / "m", "--cache-dir", tmp_path)
    )

    assert answer.code == 2
    assert f"more than {NPM_BYTES:,} bytes" in answer.text


def test_a_pth_is_never_opened(forked: Forked, tmp_path: Path) -> None:
    """A pickle of a user's would run: it is refused by its name, and torch is not asked."""
    path = tmp_path / "w.pth"
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.")

    answer = forked(
        *("export", "--model", "resnet50-tv", "--from", path),
        *("--models-dir", tmp_path / "m", "--cache-dir", tmp_path),
    )

    assert answer.code == 2
    assert not list(tmp_path.rglob("ran"))
