"""A classifier runs over a set as an encoder does, and a table of predictions finds the set's images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from fer_audit.classify.types import Predictions, Said
from fer_audit.config import AuditConfig, DatasetSettings, ReportSettings, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.maps import MAPS, GroupMap
from fer_audit.encoders.presets import Contract
from fer_audit.encoders.types import ExportedModel, Head
from fer_audit.errors import ConfigError, DatasetError, ModelError
from fer_audit.pack.decode import decode_image
from fer_audit.pipeline.import_model import import_model
from fer_audit.pipeline.predictions import (
    network_source,
    read_predictions,
    table_source,
    write_predictions,
)
from fer_audit.pipeline.types import Order, Stopwatch
from fer_audit.progress import Silent
from tests.encoders.tensorflow import softmax
from tests.foreign_graphs import SIZE, Drawn

HEADS = (Head("expression", ("happy", "sad", "odd")), Head("age"), Head("arousal"))
CONTRACT = Contract(colour="grey", mean=(0.0,), scale=(1 / 64,), heads=HEADS)
NOTHING: Any = (None, None)
"""What a network needs of the run's own vectors."""
(EIGHT,) = (each for each in MAPS if each.name == "expression8" and isinstance(each, GroupMap))


@pytest.fixture
def order(faces: Path, run_dir: Path, cache_dir: Path) -> Order:
    """Give an order over 24 drawn faces, one of them broken."""
    broken = sorted(faces.iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:50])
    run_dir.mkdir()
    config = AuditConfig.of(batch_size=5)
    resources = Resources(cache_dir=cache_dir, device="cpu", workers=1)
    return Order(
        *(load_dataset(faces), run_dir, cache_dir, config, resources, ReportSettings()),
        csv=False,
        progress=Silent(),
        watch=Stopwatch(Silent(), "report"),
    )


def predict(order: Order, model: str) -> tuple[Said, ...]:
    return network_source(order, model).make(*NOTHING)


def test_every_image_gets_what_the_network_says_of_it_at_its_own_size(
    order: Order, tmp_path: Path, decoded: list[str]
) -> None:
    drawn = Drawn(channels=1, batch=4)
    path = drawn.save(tmp_path / "net.onnx")
    model = import_model(path, CONTRACT, name="net", models_dir=tmp_path / "m", image=None).model

    said = predict(order, str(model.path))

    expression, age, arousal = said
    root, ids = order.dataset.root, order.dataset.ids
    assert isinstance(expression, Predictions)
    assert expression.reasons.tolist().count("corrupt") == 1
    assert expression.ok.sum() == len(ids) - 1
    good = np.flatnonzero(expression.ok)
    pixels = np.stack(
        [decode_image((root / ids[i]).read_bytes(), ids[i], SIZE).pixels for i in good]
    )
    numbers = drawn.answers(pixels, colour="grey", scale=CONTRACT.scale)
    assert np.allclose(expression.probabilities[good], softmax(numbers[:, :3]), atol=1e-5)  # type: ignore[index]
    assert not isinstance(age, Predictions)
    assert np.allclose(age.values[good], numbers[:, 3], atol=1e-4)
    assert arousal.about == "arousal"

    decoded.clear()
    again = predict(order, str(model.path))
    assert not decoded, "what the cache holds is not made again"
    assert again[0].fingerprint == expression.fingerprint
    assert (expression.by.provider, expression.by.precision) == ("CPUExecutionProvider", "fp32")
    table = parquet.read_table(write_predictions(order.out, order.dataset, said)).to_pydict()
    assert table["id"] == list(ids)
    assert [x is None for x in table["net_expression"]] == (~expression.ok).tolist()
    names = [HEADS[0].classes[code] for code in expression.codes[good]]
    assert [x for x in table["net_expression"] if x] == names
    assert np.allclose(
        [table["net_expression_p_odd"][i] for i in good], softmax(numbers[:, :3])[:, 2], atol=1e-5
    )


def test_an_encoder_is_no_classifier(order: Order, tiny_model: ExportedModel) -> None:
    with pytest.raises(ModelError, match="gives an embedding and no classes"):
        predict(order, str(tiny_model.path))


def test_a_table_finds_the_images_by_the_rules_of_every_table(
    order: Order, tmp_path: Path
) -> None:
    ids = order.dataset.ids
    rows = [{"input": f"/data/faces/{each}", "happy": 0.75, "sad": 0.25} for each in ids[:20]]
    rows.append({"input": "/data/faces/elsewhere.jpg", "happy": 1, "sad": 0})
    path = tmp_path / "fex.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))

    said = read_predictions(path, order.dataset, EIGHT, DatasetSettings())

    assert said.ok.tolist() == [True] * 20 + [False] * 4
    assert said.classes == ("happiness", "sadness")
    assert set(said.codes[:20].tolist()) == {0}
    assert any("4 images have no line" in note for note in said.notes)
    assert any("1 line left out: line 21, path_outside_root" in note for note in said.notes)
    assert said.by.kind == "table"
    with pytest.raises(ConfigError, match="no column"):
        read_predictions(path, order.dataset, EIGHT, DatasetSettings(), label_column="mood")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "has no lines"),
        ("/data/x.jpg,happy", 'None of the 1 line of .*first path is "/data/x.jpg", the set\'s "'),
        ("{},bored", 'no image a predicted expression: .*not known: "bored"; known are "'),
    ],
)
def test_a_table_that_says_nothing_of_any_image_is_refused_before_any_work(
    order: Order, tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text(f"path,emotion\n{line.format(order.dataset.ids[0])}\n")

    with pytest.raises(DatasetError, match=words):
        table_source(order, str(path))
