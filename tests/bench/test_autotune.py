"""The fastest within noise, the smallest of those; and never a setting that changes the vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from fer_audit.bench.autotune import BATCHES, autotune, choose, thread_choices
from fer_audit.bench.types import Trial
from fer_audit.embed.types import CPU, Place
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from fer_audit.progress import Silent
from tests.graphs import SIZE, make_graph, save


def trial(threads: int, batch_size: int, rate: float) -> Trial:
    return Trial(threads, batch_size, 32, (32 / rate,))


@pytest.mark.parametrize(
    ("cores", "choices"),
    [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8)), (12, (1, 2, 4, 8, 12))],
)
def test_threads_are_powers_of_two_and_all_cores(cores: int, choices: tuple[int, ...]) -> None:
    assert thread_choices(cores) == choices


def test_the_fastest_wins_when_it_is_clearly_faster() -> None:
    assert choose([trial(2, 8, 50.0), trial(2, 32, 52.0)]).batch_size == 32


def test_within_two_percent_the_smaller_batch_wins_then_fewer_threads() -> None:
    assert choose([trial(2, 32, 50.0), trial(2, 8, 49.2), trial(2, 4, 40.0)]).batch_size == 8
    assert choose([trial(4, 8, 50.0), trial(2, 8, 49.5)]).threads == 2


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Give five images: fewer than a batch."""
    return np.random.default_rng(3).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


def test_every_setting_is_tried_and_the_choice_is_one_of_them(
    conv_model: ExportedModel, pixels: NDArray[np.uint8]
) -> None:
    best, tried = autotune(
        conv_model, Place(CPU, (0,)), pixels, cores=2, batch_size=4, repeats=2, progress=Silent()
    )

    assert [(x.threads, x.batch_size) for x in tried[:2]] == [(1, 4), (2, 4)]
    assert [x.batch_size for x in tried[2:]] == list(BATCHES)
    assert {x.threads for x in tried[2:]} == {choose(tried[:2]).threads}
    assert best == choose(tried[2:])
    assert all(len(x.seconds) == 2 and x.images % x.batch_size == 0 for x in tried)


def test_a_model_whose_vectors_depend_on_the_batch_is_refused(
    tmp_path: Path, pixels: NDArray[np.uint8]
) -> None:
    """It divides by the largest number in the whole batch."""
    mixing = make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Transpose", ["floats"], ["nchw"], perm=[0, 3, 1, 2]),
            helper.make_node("GlobalAveragePool", ["nchw"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["mean"], axis=1),
            helper.make_node("ReduceMax", ["mean"], ["largest"], keepdims=1),
            helper.make_node("Div", ["mean", "largest"], ["embedding"]),
        ]
    )
    model = save(mixing, tmp_path / "mixing.onnx")

    with pytest.raises(ModelError, match="vectors that differ"):
        autotune(
            model, Place(CPU, (0,)), pixels, cores=1, batch_size=4, repeats=1, progress=Silent()
        )
