"""An ONNX file of somebody else's: what its graph says of itself, and the same graph wrapped into our signature.

What cannot be seen is asked for; what cannot be run is refused in one line. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np

from fer_audit.encoders.network import INPUT_NAME, Network
from fer_audit.encoders.presets import PRESETS, Contract
from fer_audit.encoders.sidecar import parsed, refuse_foreign_parts, sides_of, words_of
from fer_audit.encoders.types import MAX_MODEL_BYTES, Head, ModelSpec, columns_of, read_model
from fer_audit.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import onnx

PREFIX = "foreign/"
"""Stands before every name of the graph that is wrapped, so that none is ours too."""
_LAST_IR_WITH_WEIGHTS_AS_INPUTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class ForeignGraph:
    """A graph of one image input that standard operators make."""

    path: Path
    model: onnx.ModelProto
    input: str
    kind: int
    """Element type of the input: FLOAT, FLOAT16 or UINT8."""
    sides: tuple[int | None, ...]
    """Four declared sides of the input, None for a side of any length."""
    outputs: tuple[str, ...]


def look_into(path: Path) -> ForeignGraph:
    """Return the graph of a file, the weights of files next to it included.

    Raises ModelError for a file that is no ONNX, needs a newer onnx, brings operators of its own, misses a file of weights,
    or takes anything but one image.
    """
    import onnx

    data = read_model(path)
    _refuse_other_files(path, data[:200])
    model = parsed(data, path)
    for what, needed, known in (
        ("IR version", model.ir_version, onnx.IR_VERSION),
        *(
            ("opset", each.version, onnx.defs.onnx_opset_version())
            for each in model.opset_import
            if each.domain in {"", "ai.onnx"}
        ),
    ):
        if needed > known:
            raise ModelError(
                f"{path} needs ONNX {what} {needed}; the installed onnx {onnx.__version__} knows up to {known}",
                hint="pip install --upgrade onnx onnxruntime, or export the model for an older one.",
            )
    _load_files_of_weights(model, path)
    refuse_foreign_parts(model, path)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8)
    if not all(isinstance(value.name, str) for value in (*inputs, *model.graph.output)):
        raise ModelError(f"{path} has names that are no text")
    kind = inputs[0].type.tensor_type.elem_type if inputs else 0
    sides = tuple(sides_of(inputs[0]) or ()) if inputs else ()
    if len(inputs) != 1 or kind not in kinds or len(sides) != 4 or not model.graph.output:
        raise ModelError(
            f"{path} takes {words_of(inputs)}; one input of images is taken, float or uint8, with four sides",
            hint="Export the network for inference, with the image as its only input.",
        )
    names = tuple(value.name for value in model.graph.output)
    return ForeignGraph(path, model, inputs[0].name, kind, sides, names)


def _refuse_other_files(path: Path, start: bytes) -> None:
    if not start:
        raise ModelError(f"{path} is empty", hint="Fetch it again.")
    if start.startswith(b"version https://git-lfs"):
        raise ModelError(
            f"{path} is a Git LFS pointer, not the model", hint="Fetch the model: git lfs pull"
        )
    if start.lstrip().startswith(b"<"):
        raise ModelError(f"{path} is a web page, not a model", hint="Download the file itself.")


def _load_files_of_weights(model: onnx.ModelProto, path: Path) -> None:
    """Put weights that lie in plain files next to the model into it."""
    from onnx import external_data_helper

    left = MAX_MODEL_BYTES
    entries = [x for tensor in model.graph.initializer for x in tensor.external_data]
    for location in sorted({entry.value for entry in entries if entry.key == "location"}):
        name = PurePosixPath(location.replace("\\", "/"))
        file = path.parent / name
        if name.is_absolute() or ".." in name.parts or file.is_symlink():
            raise ModelError(f"{path} keeps weights in {location}, outside its folder: refused")
        if not file.is_file():
            raise ModelError(
                f"{path} keeps its weights in {location}, which is not there",
                hint=f"Put {location} next to the model.",
            )
        left -= file.stat().st_size
        if left < 0:
            raise ModelError(f"{path} has more than {MAX_MODEL_BYTES / 1e9:g} GB of weights")
    try:
        external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as exc:  # onnx's own errors share no base class
        raise ModelError(f"The weights of {path} cannot be read: {exc}") from exc


def contract_for(graph: ForeignGraph, asked: Contract) -> Contract:
    """Return the contract with everything filled in that the graph says.

    Raises ConfigError that names every option still needed, or one that contradicts the graph; ModelError for images
    that are not square.
    """
    import onnx

    missing = []
    first, last = graph.sides[1] in {1, 3}, graph.sides[3] in {1, 3}
    # both places, or none, may hold the channels
    seen: Literal["NCHW", "NHWC"] | None
    seen = None if first == last else "NCHW" if first else "NHWC"
    if seen and asked.layout not in (None, seen):
        sides = " x ".join(str(side or "any") for side in graph.sides)
        raise ConfigError(
            f"{graph.path} takes {sides}, which is {seen}; --layout says {asked.layout}",
            hint="Leave --layout out.",
        )
    layout = asked.layout or seen
    if layout is None:
        missing.append("--layout NCHW or NHWC")
    channels, height, width = (
        graph.sides[axis] for axis in ((3, 1, 2) if layout == "NHWC" else (1, 2, 3))
    )
    if height != width:
        raise ModelError(f"{graph.path} takes images of {height} x {width}; square ones are made")
    if asked.size and height and asked.size != height:
        raise ConfigError(
            f"{graph.path} takes images of {height} pixels, --size says {asked.size}"
        )
    if not (size := height or asked.size):
        missing.append("--size PIXELS")
    colour: Literal["RGB", "BGR", "grey"] | None = "grey" if channels == 1 else asked.colour
    if colour is None:
        missing.append("--colour RGB or BGR" if channels == 3 else "--colour RGB, BGR or grey")
    elif layout and channels not in (None, 1 if colour == "grey" else 3):
        raise ConfigError(f"{graph.path} takes {channels} channels, which are not {colour}")
    mean, scale = asked.mean, asked.scale
    if graph.kind == onnx.TensorProto.UINT8:
        mean, scale = (0.0,), (1.0,)  # bytes go in as they are
    if not mean or not scale:
        missing.append("--mean and --scale (what is subtracted from bytes, then multiplied)")
    task = "classify" if asked.heads else asked.task
    if task is None or (task == "classify" and not asked.heads):
        missing.append("--classes A,B,... in the order of its outputs, or --task embed")
    if missing:
        raise ConfigError(
            f"{graph.path} does not say how it is fed; give {'; '.join(missing)}",
            hint="E.g. --colour RGB --mean 123.675,116.28,103.53 --scale 1/58.395,1/57.12,1/57.375; "
            f"or --preset {', '.join(PRESETS)}.",
        )
    n = 1 if colour == "grey" else 3
    if not {len(mean), len(scale)} <= {1, n}:
        raise ConfigError(f"--mean and --scale are one number or {n} for {colour} images")
    mean, scale = mean * (n // len(mean)), scale * (n // len(scale))
    found = {"size": size, "layout": layout, "colour": colour, "task": task}
    return replace(asked, **found, mean=mean, scale=scale)  # type: ignore[arg-type]  # a dict has one value type


def last_operator(graph: ForeignGraph, output: str) -> str:
    """Return the kind of node that gives an output, "" where none does."""
    return next((x.op_type for x in reversed(graph.model.graph.node) if output in x.output), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """An output as our graph gives it."""

    output: str
    name: str
    """In our graph."""
    heads: tuple[tuple[Head, bool], ...] = ()
    """Of a classifier, each with whether its numbers are logits yet; empty: the numbers as they are."""


def wrapped(
    graph: ForeignGraph, spec: ModelSpec, layout: str | None, answers: Sequence[Answer]
) -> onnx.ModelProto:
    """Return the graph with our input, uint8 NHWC RGB, and some of its outputs as float32 (batch, numbers).

    `spec` says how it is fed, its batch, and how many numbers each answer has, 0 where that is not known.
    """
    from onnx import TensorProto, compose, helper

    network = Network()
    x = _fed(network, graph, spec, nhwc=layout == "NHWC")
    try:
        foreign = compose.add_prefix(graph.model, PREFIX).graph
    except TypeError as exc:  # protobuf gives bytes for a name that is no UTF-8
        raise ModelError(f"{graph.path} has names that are no text") from exc
    network.add("Identity", [x], f"{PREFIX}{graph.input}")
    before, network.nodes = network.nodes, []
    gives = []
    for answer in answers:
        x = network.add(
            "Cast", [PREFIX + answer.output], f"{answer.name}_float", to=TensorProto.FLOAT
        )
        if not answer.heads:
            network.add("Flatten", [x], answer.name, axis=1)
        else:
            x = network.add("Flatten", [x], f"{answer.name}_flat", axis=1)
            _add_heads(network, x, answer)
        batch = spec.batch or "batch"
        shape = [batch, spec.dim or None]
        gives.append(helper.make_tensor_value_info(answer.name, TensorProto.FLOAT, shape))
    images = helper.make_tensor_value_info(
        INPUT_NAME, TensorProto.UINT8, [spec.batch or "batch", spec.size, spec.size, 3]
    )
    return helper.make_model(
        helper.make_graph(
            [*before, *foreign.node, *network.nodes],
            spec.name,
            [images],
            gives,
            [*network.weights, *foreign.initializer],
            sparse_initializer=list(foreign.sparse_initializer),
        ),
        opset_imports=list(graph.model.opset_import),
        ir_version=max(graph.model.ir_version, _LAST_IR_WITH_WEIGHTS_AS_INPUTS + 1),
        producer_name="fer-audit",
    )


def _fed(network: Network, graph: ForeignGraph, spec: ModelSpec, *, nhwc: bool) -> str:
    from onnx import TensorProto

    if graph.kind == TensorProto.UINT8 and spec.colour == "RGB":
        if nhwc:
            return INPUT_NAME
        return network.add("Transpose", [INPUT_NAME], "nchw", perm=[0, 3, 1, 2])
    x = network.preprocessed(spec)
    if nhwc:
        x = network.add("Transpose", [x], "nhwc", perm=[0, 2, 3, 1])
    if graph.kind == TensorProto.UINT8:
        x = network.add("Round", [x], "whole")
    is_float = graph.kind == TensorProto.FLOAT
    return x if is_float else network.add("Cast", [x], "cast", to=graph.kind)


def _add_heads(network: Network, x: str, answer: Answer) -> None:
    """Add a softmax over the numbers of each head that are logits, the others as they are."""
    parts = []
    places = columns_of(head for head, _ in answer.heads)
    for index, ((_, place), (_, is_logits)) in enumerate(zip(places, answer.heads, strict=True)):
        name = f"{answer.name}_{index}"
        rows = network.constant(f"{name}_where", np.arange(place.start, place.stop), np.int64)
        part = network.add("Gather", [x, rows], name, axis=1)
        if is_logits:
            part = network.add("Softmax", [part], f"{name}_softmax", axis=1)
        parts.append(part)
    network.add("Concat", parts, answer.name, axis=1)
