"""Anybody's ONNX file: wrapped it answers as it did alone, what it does not say is asked for, and the rest is refused."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fer_audit.config import Resources
from fer_audit.embed.session import CPU, EmbedSession, run_all
from fer_audit.encoders.export import find_or_export
from fer_audit.encoders.foreign import contract_for, look_into
from fer_audit.encoders.presets import PRESETS, Contract, preset
from fer_audit.encoders.types import ExportedModel, Head
from fer_audit.errors import ConfigError, FerAuditError, ModelError
from fer_audit.pipeline.import_model import Imported, import_model
from fer_audit.progress import Silent
from tests.encoders.tensorflow import softmax
from tests.foreign_graphs import GREY, NUMPY, SIZE, Drawn

FLOAT, FLOAT16, UINT8 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
EMBED = Contract(colour="RGB", mean=(100.0, 90.0, 80.0), scale=(1 / 64,), task="embed")
PIXELS = np.random.default_rng(1).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
FIVE = tuple("abcde")

Add = Callable[..., Imported]


@pytest.fixture
def add(tmp_path: Path) -> Add:
    """Give what imports a drawn graph, or the file that lies where one would."""

    def imported(drawn: Drawn | None, asked: Contract = EMBED) -> Imported:
        path = tmp_path / "given.onnx"
        if drawn is not None:
            drawn.save(path)
        return import_model(path, asked, name="mine", models_dir=tmp_path / "models", image=None)

    return imported


def answers(model: ExportedModel) -> np.ndarray:
    """Return the vectors of five images, as a run makes them: in batches of two, the last padded."""
    session = EmbedSession(model, CPU, batch_size=2)
    step = session.batch_size
    batches = [PIXELS[start : start + step] for start in range(0, len(PIXELS), step)]
    found = np.vstack(list(session.stream(batches)))
    session.close()
    return found


WAYS = [
    *product(["NCHW", "NHWC"], [FLOAT, FLOAT16, UINT8], ["RGB", "BGR", "grey"], ["N"]),
    *(("NCHW", FLOAT, "RGB", 1), ("NHWC", UINT8, "grey", 3), ("NCHW", FLOAT16, "BGR", 8)),
]


@pytest.mark.parametrize(("layout", "kind", "colour", "batch"), WAYS)
def test_a_wrapped_graph_answers_as_the_file_does(
    add: Add, layout: str, kind: int, colour: str, batch: int | str
) -> None:
    drawn = Drawn(layout, kind, 1 if colour == "grey" else 3, batch)
    n = drawn.channels
    feeding = ((100.0, 90.0, 80.0)[:n], (1 / 64, 1 / 50, 1 / 40)[:n])
    mean, scale = ((0.0,), (1.0,)) if kind == UINT8 else feeding
    asked = Contract(colour=colour, mean=mean, scale=scale, task="embed")  # type: ignore[arg-type]

    model = add(drawn, asked).model

    wanted = drawn.answers(PIXELS, colour=colour, mean=mean, scale=scale)
    tolerance = 0.02 if kind == FLOAT16 else 1e-4 * np.abs(wanted).max()
    assert np.allclose(answers(model), wanted, rtol=0, atol=tolerance)
    assert model.spec.batch == (None if batch == "N" else batch)
    assert (model.spec.size, model.spec.dim) == (SIZE, 5)


def test_an_old_file_whose_weights_are_inputs_is_taken(add: Add) -> None:
    drawn = Drawn(ir=3)

    wanted = drawn.answers(PIXELS, colour="RGB", mean=EMBED.mean, scale=EMBED.scale)
    assert np.allclose(answers(add(drawn).model), wanted, atol=1e-4)


def test_a_graph_that_only_says_it_takes_any_batch_is_run_one_by_one(add: Add) -> None:
    drawn = Drawn(last="Reshape")

    model = add(drawn).model

    wanted = drawn.answers(PIXELS, colour="RGB", mean=EMBED.mean, scale=EMBED.scale)
    assert model.spec.batch == 1
    assert np.allclose(answers(model), wanted, atol=1e-4)


def test_logits_get_a_softmax_and_probabilities_do_not(add: Add) -> None:
    asked = dataclasses.replace(EMBED, task=None, heads=(Head("expression", FIVE),))
    logits = Drawn().answers(PIXELS, colour="RGB", mean=EMBED.mean, scale=EMBED.scale)
    for drawn, words in ((Drawn(), "logits, a softmax"), (Drawn(last="Softmax"), "probabilities")):
        done = add(drawn, asked)

        assert np.allclose(answers(done.model), softmax(logits), atol=1e-5)
        assert any(f"expression: {words}" in each for each in done.understood)
        assert done.model.spec.task == "classify"
    with pytest.raises(ModelError, match="ends in a sigmoid"):
        add(Drawn(last="Sigmoid"), asked)


def test_several_heads_are_normalized_each_on_its_own(add: Add) -> None:
    heads = (Head("race", ("x", "y")), Head("age"), Head("gender", ("m", "f")))
    logits = Drawn().answers(PIXELS, colour="RGB", mean=EMBED.mean, scale=EMBED.scale)

    found = answers(add(Drawn(), dataclasses.replace(EMBED, task=None, heads=heads)).model)

    parts = [softmax(logits[:, :2]), logits[:, 2:3], softmax(logits[:, 3:])]
    assert np.allclose(found, np.hstack(parts), atol=1e-5)


def test_a_model_that_was_added_is_found_by_its_name(add: Add, tmp_path: Path) -> None:
    model = add(Drawn()).model

    found = find_or_export(
        "mine", "fp32", Resources(models_dir=tmp_path / "models", cache_dir=tmp_path), Silent()
    )

    assert found == model
    with pytest.raises(ConfigError, match="cannot be the model's name"):
        import_model(
            tmp_path / "given.onnx", EMBED, name="fer-mini", models_dir=tmp_path, image=None
        )


def test_what_a_graph_does_not_say_is_asked_for_all_at_once(add: Add) -> None:
    unclear = Drawn(channels=3, sides=(3, 3), batch=1)
    with pytest.raises(ConfigError) as caught:
        add(unclear, Contract())
    for option in ("--layout", "--colour", "--mean", "--scale", "--classes", "--task"):
        assert option in str(caught.value), option
    with pytest.raises(ConfigError, match="give --size PIXELS"):
        add(Drawn(sides=("h", "w")))
    assert (
        add(Drawn(sides=("h", "w")), dataclasses.replace(EMBED, size=SIZE)).model.spec.size == SIZE
    )


def change(model: onnx.ModelProto, how: Callable[[onnx.ModelProto], object]) -> bytes:
    how(model)
    return bytes(model.SerializeToString())


def second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("is_training", FLOAT, [1]))


def second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("flat", FLOAT, ["N", 3]))


def weights_elsewhere(model: onnx.ModelProto, location: str) -> None:
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location)
    model.graph.initializer[0].ClearField("raw_data")


def newer(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def times(model: onnx.ModelProto, number: float) -> None:
    """Multiply the answer."""
    last = model.graph.node[-1]
    given, last.output[0] = last.output[0], "before"
    factor = helper.make_tensor("factor", FLOAT, [1], [number])
    model.graph.initializer.append(factor)
    model.graph.node.append(helper.make_node("Mul", ["before", "factor"], [given]))


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "a web page": (b"<!DOCTYPE html><html>404</html>", "is a web page"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"),
    "two inputs": (change(Drawn().model(), second_input), "'is_training' FLOAT"),
    "two outputs": (change(Drawn().model(), second_output), r"choose one with --output NAME"),
    "a newer opset": (change(Drawn().model(), newer), "needs ONNX opset 99"),
    "lost weights": (
        change(Drawn().model(), lambda model: weights_elsewhere(model, "w.bin")),
        r"keeps its weights in w\.bin, which is not there",
    ),
    "weights above": (
        change(Drawn().model(), lambda model: weights_elsewhere(model, "../w.bin")),
        "outside its folder",
    ),
    "flat images": (Drawn(sides=(8, 12)).model().SerializeToString(), "takes images of 8 x 12"),
    "NaN": (change(Drawn().model(), lambda model: times(model, np.nan)), "gives NaN"),
    "a constant": (
        change(Drawn().model(), lambda model: times(model, 0)),
        "gives the same numbers",
    ),
    "four channels": (Drawn(channels=4).model().SerializeToString(), "--layout NCHW or NHWC"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_run_is_refused_in_one_line(add: Add, tmp_path: Path, kind: str) -> None:
    data, words = REFUSED[kind]
    (tmp_path / "given.onnx").write_bytes(data)

    with pytest.raises(FerAuditError, match=words) as caught:
        add(None)

    assert "\n" not in str(caught.value)
    assert not (tmp_path / "models").exists(), "nothing is written for a file that is refused"


def test_classes_of_another_number_and_options_against_the_graph_are_refused(add: Add) -> None:
    four = dataclasses.replace(EMBED, task=None, heads=(Head("x", FIVE[:4]),))
    with pytest.raises(ConfigError, match="5 numbers; --classes names 4"):
        add(Drawn(), four)
    for asked, words in (
        (dataclasses.replace(EMBED, size=13), "--size says 13"),
        (dataclasses.replace(EMBED, output="logits"), "has no output 'logits'"),
        (dataclasses.replace(EMBED, mean=(1.0, 2.0)), "one number or 3"),
    ):
        with pytest.raises(ConfigError, match=words):
            add(Drawn(), asked)


def test_weights_in_a_file_next_to_the_model_are_taken_into_it(add: Add, tmp_path: Path) -> None:
    onnx.save(
        *(Drawn().model(), tmp_path / "given.onnx"),
        save_as_external_data=True,
        location="w.bin",
        size_threshold=0,
    )

    model = add(None).model

    (tmp_path / "w.bin").unlink()
    wanted = Drawn().answers(PIXELS, colour="RGB", mean=EMBED.mean, scale=EMBED.scale)
    assert np.allclose(answers(model), wanted, atol=1e-4)


def test_a_preset_fills_what_was_left_open_and_nothing_else() -> None:
    for name in PRESETS:
        filled = Contract(size=64, mean=(0.0,)).filled_from(preset(name))
        assert (filled.size, filled.mean) == (64, (0.0,))
        assert filled.heads == PRESETS[name].heads
        assert len(filled.scale) in {1, 3}
        assert all(filled.heads)
    with pytest.raises(ConfigError, match="There is no preset 'resnet'"):
        preset("resnet")


ZOO = Path(__file__).parents[2] / "shared" / "cases" / "onnx-zoo"
_32 = Contract(colour="RGB", mean=(123.675, 116.28, 103.53), scale=(1 / 58,), task="embed")
_TF = dataclasses.replace(_32, task=None, heads=(Head("x", tuple(map(str, range(32)))),))
ANSWERS: dict[str, tuple[Contract, str]] = {
    "constant_embedding": (_32, "gives the same numbers"),
    "custom_op": (_32, "custom operator com.acme::MyOp"),
    "emits_nan": (_32, "gives NaN"),
    "ext_missing/model": (_32, r"keeps its weights in model\.onnx\.data"),
    "ext_ok/model": (_32, ""),
    "float16": (_32, ""),
    "fully_dynamic_hw": (dataclasses.replace(_32, size=96), ""),
    "gray_1x64x64_logits": (PRESETS["ferplus-8"], ""),
    "gray_48x48x1_softmax": (
        Contract(mean=(0.0,), scale=(1 / 255,), heads=PRESETS["vit-face-expression"].heads),
        "",
    ),
    "ir_99_too_new": (_32, "needs ONNX IR version 99"),
    "lfs_pointer": (_32, "Git LFS pointer"),
    "nchw_batch_fixed_1": (_32, ""),
    "nchw_batch_fixed_8": (_32, ""),
    "nchw_dynamic_batch": (_32, ""),
    "nhwc_tf_names": (_TF, ""),
    "not_a_model_html": (_32, "is a web page"),
    "opset_99_too_new": (_32, "needs ONNX opset 99"),
    "output_batch_declared_1_but_dynamic": (_32, ""),
    "two_inputs": (_32, "'is_training' BOOL"),
    "two_outputs_logits_first_embedding_4d": (dataclasses.replace(_32, output="emb4"), ""),
    "uint8_nhwc": (_32, ""),
    "zero_byte": (_32, "is empty"),
}


@pytest.mark.cases
@pytest.mark.skipif(not ZOO.is_dir(), reason="no folder of cases next to the checkout")
@pytest.mark.parametrize("name", ANSWERS)
def test_a_model_of_the_zoo_ends_as_its_answer_says(tmp_path: Path, name: str) -> None:
    asked, refused = ANSWERS[name]
    shutil.copytree(ZOO, tmp_path / "zoo")
    path = tmp_path / "zoo" / f"{name}.onnx"
    if refused:
        with pytest.raises(FerAuditError, match=refused):
            import_model(path, asked, name="zoo", models_dir=tmp_path / "m", image=None)
        return

    model = import_model(path, asked, name="zoo", models_dir=tmp_path / "m", image=None).model

    side, batch = model.spec.size, model.spec.batch or 4
    pixels = np.random.default_rng(2).integers(0, 256, (2 * batch, side, side, 3), np.uint8)
    session = EmbedSession(model, CPU, batch_size=batch)
    found = np.vstack(list(session.stream([pixels[:batch], pixels[batch:]])))
    session.close()
    alone = as_it_is(path, asked, pixels, batch)
    if name == "gray_1x64x64_logits":
        alone = softmax(alone)
    tolerance = (2e-3 if name == "float16" else 1e-4) * np.abs(alone).max()
    assert np.allclose(found, alone, rtol=0, atol=tolerance)


def as_it_is(path: Path, asked: Contract, pixels: np.ndarray, batch: int) -> np.ndarray:
    """Return what the file itself gives for images that were prepared outside it."""
    graph = look_into(path)
    contract = contract_for(graph, asked)
    x = pixels.astype(np.float64)
    x = x @ GREY if contract.colour == "grey" else x
    x = (x - np.array(contract.mean)) * np.array(contract.scale)
    x = x.transpose(0, 3, 1, 2) if contract.layout == "NCHW" else x
    x = x.astype(NUMPY[graph.kind])
    place = graph.outputs.index(contract.output or graph.outputs[0])
    data = graph.model.SerializeToString()
    parts = run_all(data, [x[:batch], x[batch:]])
    return np.vstack([outputs[place].reshape(batch, -1) for outputs in parts]).astype(np.float64)
