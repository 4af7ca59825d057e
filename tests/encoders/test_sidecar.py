"""A model file is code: it is believed only with its sidecar, and refused before onnxruntime sees it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_audit.config import Resources
from fer_audit.encoders.export import find_or_export
from fer_audit.encoders.sidecar import check_graph, load_model, save_model, sidecar_path
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from fer_audit.progress import Silent
from tests.graphs import MEAN_COLOUR, make_graph, mean_colour_graph, save


@pytest.fixture
def model(tmp_path: Path) -> ExportedModel:
    """Give a model of this test's own, to be broken."""
    return save(mean_colour_graph(), tmp_path / "tiny.onnx")


def test_what_was_saved_is_what_is_loaded(model: ExportedModel) -> None:
    assert load_model(model.path) == model
    check_graph(model)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one = save(mean_colour_graph(), tmp_path / "1" / "m.onnx")
    two = save(mean_colour_graph(), tmp_path / "2" / "m.onnx")

    assert one.sha256 == two.sha256
    assert sidecar_path(one.path).read_bytes() == sidecar_path(two.path).read_bytes()


@pytest.mark.parametrize(("name", "padded"), [("fer-faceapi", True), ("fer-mini", False)])
def test_a_sidecar_older_than_padding_is_read_as_the_catalog_says(
    model: ExportedModel, name: str, *, padded: bool
) -> None:
    sidecar = sidecar_path(model.path)
    document = json.loads(sidecar.read_text())
    document["spec"]["name"] = name
    assert document["spec"].pop("padded") is False
    sidecar.write_text(json.dumps(document))

    assert load_model(model.path).spec.padded is padded


def test_one_changed_byte_is_refused_with_both_hashes(model: ExportedModel) -> None:
    data = bytearray(model.path.read_bytes())
    data[len(data) // 2] ^= 1
    model.path.write_bytes(data)

    with pytest.raises(ModelError, match="was changed: its sha256 is") as caught:
        load_model(model.path)

    assert model.sha256 in str(caught.value)


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "was changed"),
        (lambda path: sidecar_path(path).unlink(), r"has no sidecar tiny\.json"),
        (Path.unlink, "Cannot read the model"),
        (lambda path: (path.unlink(), path.mkdir()), "it is no file"),
    ],
    ids=["cut", "no sidecar", "no model", "a folder"],
)
def test_a_model_without_its_bytes_or_its_sidecar_is_refused(
    model: ExportedModel, happens: Callable[[Path], object], words: str
) -> None:
    happens(model.path)

    with pytest.raises(ModelError, match=words):
        load_model(model.path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', "{}", '{"schema": "other/1"}', "<html>404</html>"]
)
def test_a_sidecar_that_is_none_is_refused(model: ExportedModel, text: str) -> None:
    sidecar_path(model.path).write_text(text)

    with pytest.raises(ModelError):
        load_model(model.path)


@pytest.mark.parametrize(
    "change",
    [
        *({"sha256": None}, {"sha256": 7}, {"precision": "fp4"}, {"spec": None}, {"spec": []}),
        *({"spec": {}}, {"spec.mean": 3}, {"spec.mean": [1, 2]}, {"spec.size": "large"}),
        *({"spec.size": -5}, {"spec.dim": 0}, {"spec.dim": "three"}),
        *(
            {"spec.task": "classify the world"},
            {"spec.colour": "CMY"},
            {"spec.unknown": 1},
            {"spec.padded": 1},
        ),
    ],
    ids=str,
)
def test_a_sidecar_that_makes_no_sense_is_a_model_error(
    model: ExportedModel, change: dict[str, Any]
) -> None:
    path = sidecar_path(model.path)
    document = json.loads(path.read_text())
    for key, value in change.items():
        if "." in key:
            document["spec"][key.split(".")[1]] = value
        else:
            document[key] = value
    path.write_text(json.dumps(document))

    with pytest.raises(ModelError):
        load_model(model.path)


def vouched(path: Path, data: bytes) -> Path:
    """Write any bytes as a model with a fitting sidecar: what an attacker would hand out."""
    save(mean_colour_graph(), path)
    path.write_bytes(data)
    document = json.loads(sidecar_path(path).read_text())
    document["sha256"] = hashlib.sha256(data).hexdigest()
    sidecar_path(path).write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html>404</html>",
        b"",
        b"\0" * 100,
        b"version https://git-lfs",
        b"\x80\x04.",
    ],
    ids=["html", "empty", "zeros", "git-lfs", "pickle"],
)
def test_a_file_that_is_no_graph_is_refused_even_with_a_fitting_sidecar(
    tmp_path: Path, data: bytes
) -> None:
    model = load_model(vouched(tmp_path / "x.onnx", data))

    with pytest.raises(ModelError):
        check_graph(model)


def external_tensor(name: str) -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def with_external_initializer() -> onnx.ModelProto:
    graph = mean_colour_graph()
    graph.graph.initializer.append(external_tensor("w"))
    return graph


def with_external_constant() -> onnx.ModelProto:
    """Return a tensor hidden in an attribute: Constant's value is as much a weight as an initializer."""
    return make_graph(
        [
            *mean_colour_graph().graph.node[:-1],
            helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
            helper.make_node("Constant", [], ["c"], value=external_tensor("hidden")),
            helper.make_node("Add", ["flat", "c"], ["embedding"]),
        ]
    )


def with_external_sparse() -> onnx.ModelProto:
    graph = mean_colour_graph()
    sparse = graph.graph.sparse_initializer.add()
    sparse.values.CopyFrom(external_tensor("sparse"))
    sparse.dims.append(3)
    return graph


def refuse(graph: onnx.ModelProto, folder: Path, words: str) -> None:
    model = save(graph, folder / "x.onnx")

    with pytest.raises(ModelError, match=words):
        check_graph(model)


@pytest.mark.parametrize(
    "draw", [with_external_initializer, with_external_constant, with_external_sparse]
)
def test_weights_in_another_file_are_refused(
    tmp_path: Path, draw: Callable[[], onnx.ModelProto]
) -> None:
    refuse(draw(), tmp_path, "in another file")


def test_a_custom_operator_inside_a_branch_is_refused(tmp_path: Path) -> None:
    """Also outside of one."""
    nodes = [*mean_colour_graph().graph.node]
    nodes[-1] = helper.make_node("Shell", ["pooled"], ["embedding"], domain="com.example")
    outside = make_graph(nodes, domains=("", "com.example"))
    refuse(outside, tmp_path, r"custom operator com\.example::Shell")

    flat = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    inner = helper.make_node("Shell", ["pooled"], ["y"], domain="com.example")
    branch = helper.make_graph([inner], "branch", [], [flat])
    yes = numpy_helper.from_array(np.array(True), "yes")
    nodes[-1:] = [
        helper.make_node("Constant", [], ["c"], value=yes),
        helper.make_node("If", ["c"], ["embedding"], then_branch=branch, else_branch=branch),
    ]
    refuse(make_graph(nodes, domains=("", "com.example")), tmp_path, "custom operator")


@pytest.mark.parametrize(("domain", "name"), [("own", "Mine"), ("", "Flatten")])
def test_a_function_under_a_standard_name_is_refused(
    tmp_path: Path, domain: str, name: str
) -> None:
    """Or under one of its own. Calling it needs no custom domain; onnxruntime ignores a standard name today."""
    inner = helper.make_node("Flatten" if domain else "Neg", ["x"], ["y"])
    own = helper.make_function(domain, name, ["x"], ["y"], [inner], [helper.make_opsetid("", 17)])
    nodes = [*mean_colour_graph().graph.node]
    if domain:
        nodes[-1] = helper.make_node(name, ["pooled"], ["embedding"], domain=domain)
    graph = make_graph(nodes, domains=("", domain) if domain else ("",))
    graph.functions.append(own)
    refuse(graph, tmp_path, "function|custom operator")


def test_a_model_without_a_single_node_is_refused(tmp_path: Path) -> None:
    model = save_model(onnx.ModelProto(), MEAN_COLOUR, "fp32", tmp_path / "x.onnx")

    with pytest.raises(ModelError, match="holds no graph"):
        check_graph(model)


def test_an_onnx_path_is_the_users_own_and_a_catalog_name_is_not(model: ExportedModel) -> None:
    found = find_or_export(
        str(model.path),
        "fp32",
        Resources(models_dir=Path("/nowhere"), cache_dir=Path("/nowhere")),
        Silent(),
    )

    assert found == model


LOADS = """
import sys
from pathlib import Path
from fer_audit.encoders.sidecar import load_model
load_model(Path(sys.argv[1]))
print(sorted({"onnxruntime", "onnx", "torch", "h5py"} & set(sys.modules)))
"""


def test_the_check_of_a_model_needs_neither_onnx_nor_onnxruntime(model: ExportedModel) -> None:
    command = [sys.executable, "-c", LOADS, str(model.path)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
