"""The network in the forms that the baselines take gives what ours gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks import environments
from benchmarks.environments import DONE, ENVIRONMENTS, environment_python
from benchmarks.network import (
    NARROW_SIZE,
    save_keras_arrays,
    save_narrow_network,
    without_preprocessing,
)
from benchmarks.worker import PeerFailure
from fer_audit.embed.session import EmbedSession
from fer_audit.embed.types import CPU
from tests.encoders.networks import random_layers
from tests.graphs import make_graph


def test_without_its_preprocessing_the_network_answers_the_same(tmp_path: Path) -> None:
    import onnxruntime

    model = save_narrow_network(tmp_path / "narrow.onnx")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, NARROW_SIZE, NARROW_SIZE, 3), dtype=np.uint8)
    expected = EmbedSession(model, CPU, batch_size=4).embed(pixels)

    mean = without_preprocessing(model.path, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "network.onnx", providers=["CPUExecutionProvider"]
    )
    floats = (pixels - np.array(mean, np.float32)).transpose(0, 3, 1, 2).astype(np.float32)
    (found,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(floats)})

    assert mean == pytest.approx((123.68, 116.779, 103.939))
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    assert np.ptp(expected, axis=0).max() > 0


def test_a_preprocessing_that_no_baseline_does_is_refused(tmp_path: Path) -> None:
    weight = helper.make_tensor("w", TensorProto.FLOAT, (3, 3, 1, 1), np.eye(3).ravel().tolist())
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Sqrt", ["nchw"], ["root"]),
        helper.make_node("Conv", ["root", "w"], ["conv"]),
        helper.make_node("GlobalAveragePool", ["conv"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
    ]
    onnx.save(make_graph(nodes, weights=[weight]), tmp_path / "odd.onnx")

    with pytest.raises(ValueError, match="Sqrt"):
        without_preprocessing(tmp_path / "odd.onnx", tmp_path / "network.onnx")


def test_keras_finds_its_arrays_under_its_own_names(tmp_path: Path) -> None:
    layers = random_layers()

    save_keras_arrays(layers, tmp_path / "weights.npz")

    arrays = np.load(tmp_path / "weights.npz", allow_pickle=False)
    assert len(arrays.files) == 53 * 6
    assert np.array_equal(arrays["conv1_conv/kernel"], layers[1, 1, 1].kernel)
    assert np.array_equal(arrays["conv4_block1_0_bn/moving_mean"], layers[4, 1, 0].mean)
    assert np.array_equal(arrays["conv5_block3_2_conv/bias"], layers[5, 3, 2].bias)


@pytest.mark.slow
def test_what_pip_cannot_find_is_a_reason_and_leaves_nothing_that_looks_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENTS, "odd", (f"{tmp_path}/no-such-1.0-py3-none-any.whl",))

    with pytest.raises(PeerFailure, match="its environment cannot be made"):
        environment_python("odd", tmp_path, lambda _: None)

    assert not list(tmp_path.rglob(DONE))


def test_a_finished_environment_is_used_as_it_is_until_a_pin_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    installed: list[str] = []

    def call(command: list[str]) -> str:
        if "venv" in command:
            Path(command[-1]).mkdir()
        if "install" in command:
            installed.append(command[-1])
        return ""

    monkeypatch.setattr(environments, "_call", call)
    for pin in ("one==1", "one==1", "one==2"):
        monkeypatch.setitem(ENVIRONMENTS, "odd", (pin,))
        environment_python("odd", tmp_path, said.append)

    assert installed == ["one==1", "one==2"]
    assert len(said) == 2
