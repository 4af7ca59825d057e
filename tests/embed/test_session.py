"""The door to onnxruntime: nothing but the pixels and the model may change a vector."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from fer_audit.config import Precision
from fer_audit.embed import session as door
from fer_audit.embed.buffers import model_error
from fer_audit.embed.session import (
    CPU,
    CUDA,
    EmbedSession,
    available_providers,
    choose_provider,
)
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from tests.graphs import SIZE, make_graph, mean_colour_graph, save

needs_no_cuda = pytest.mark.skipif(CUDA in available_providers(), reason="this machine has CUDA")


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    """Give thirteen noisy images."""
    return np.random.default_rng(2).integers(0, 256, (13, SIZE, SIZE, 3), dtype=np.uint8)


def embed(
    model: ExportedModel, pixels: NDArray[np.uint8], *, batch_size: int, threads: int = 2
) -> NDArray[np.float32]:
    session = EmbedSession(model, CPU, batch_size=batch_size, threads=threads)
    starts = range(0, len(pixels), batch_size)
    return np.concatenate([session.embed(pixels[s : s + batch_size]) for s in starts])


def test_the_tiny_models_vector_is_the_mean_colour(
    tiny_model: ExportedModel, pixels: NDArray[np.uint8]
) -> None:
    vectors = embed(tiny_model, pixels, batch_size=4)

    assert EmbedSession(tiny_model, CPU, batch_size=2).provider == CPU
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, pixels.mean(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 13, 16])
def test_the_batch_size_does_not_change_a_row(
    convolutions: ExportedModel, pixels: NDArray[np.uint8], batch_size: int
) -> None:
    wanted = embed(convolutions, pixels, batch_size=7)

    found = embed(convolutions, pixels, batch_size=batch_size)

    assert np.allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_padding_and_neighbours_do_not_change_a_bit_of_a_row(
    convolutions: ExportedModel, pixels: NDArray[np.uint8]
) -> None:
    session = EmbedSession(convolutions, CPU, batch_size=8)

    full = session.embed(pixels[:8])
    short = session.embed(pixels[:3])
    reordered = session.embed(pixels[:8][::-1].copy())

    assert short.shape == (3, 48)
    assert short.tobytes() == full[:3].tobytes()
    assert reordered[::-1].tobytes() == full.tobytes()


def test_the_number_of_threads_does_not_change_a_bit(
    convolutions: ExportedModel, pixels: NDArray[np.uint8]
) -> None:
    """The fingerprint of the vectors leaves the threads out, and this is why it may."""
    one, two, five = (
        embed(convolutions, pixels, batch_size=8, threads=threads) for threads in (1, 2, 5)
    )

    assert one.tobytes() == two.tobytes() == five.tobytes()


@pytest.mark.parametrize("in_flight", [1, 2, 3])
def test_the_number_of_buffers_does_not_change_a_bit(
    convolutions: ExportedModel,
    pixels: NDArray[np.uint8],
    in_flight: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """13 images in batches of 4: the last is short, and the buffers it meets were used before."""
    monkeypatch.setattr(door, "IN_FLIGHT", in_flight)
    session = EmbedSession(convolutions, CPU, batch_size=4)
    batches = [pixels[start : start + 4] for start in range(0, 13, 4)]

    found = list(session.stream(batches))

    assert [len(vectors) for vectors in found] == [4, 4, 4, 1]
    assert np.concatenate(found).tobytes() == embed(convolutions, pixels, batch_size=4).tobytes()


def test_bound_buffers_give_the_bits_of_a_plain_run(
    convolutions: ExportedModel, pixels: NDArray[np.uint8]
) -> None:
    """The oracle: onnxruntime as its own documentation calls it."""
    import onnxruntime

    plain = onnxruntime.InferenceSession(str(convolutions.path), providers=[CPU])

    (wanted,) = plain.run(None, {"images": pixels})

    assert embed(convolutions, pixels, batch_size=13).tobytes() == wanted.tobytes()


def test_onnxruntime_never_falls_back_by_itself(tiny_model: ExportedModel) -> None:
    """Its own default is to print a line and to go on with the CPU, at loading and in the middle of a run."""
    session = EmbedSession(tiny_model, CPU, batch_size=2)

    assert session._session._enable_fallback is False


@pytest.mark.parametrize(
    ("precision", "reduced_range", "saturates", "exact"),
    [
        ("int8", False, True, True),
        ("int8", False, False, False),
        ("int8", True, True, False),
        ("fp32", False, True, False),
    ],
)
def test_exact_8_bit_kernels_are_asked_for_only_where_sums_saturate(
    precision: Precision,
    reduced_range: bool,
    saturates: bool,
    exact: bool,
    tiny_model: ExportedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With VNNI they change no number and take three times as long."""
    monkeypatch.setattr(door, "sums_saturate", lambda: saturates)
    model = dataclasses.replace(tiny_model, precision=precision, reduced_range=reduced_range)

    session = EmbedSession(model, CPU, batch_size=2)

    options = session._session.get_session_options()
    entry = "session.x64quantprecision"
    if exact:
        assert options.get_session_config_entry(entry) == "1"
    else:
        with pytest.raises(RuntimeError, match="does not have configuration"):
            options.get_session_config_entry(entry)


@pytest.mark.parametrize(
    "text",
    [
        "CUDA failure 2: out of memory ; GPU=0 ; hostname=x",
        "Failed to allocate memory for requested buffer of size 1073741824",
        "Available memory of 100 is smaller than requested bytes of 200",
        "CUDNN failure 2: CUDNN_STATUS_ALLOC_FAILED ; GPU=0",
    ],
)
def test_too_little_memory_is_said_with_the_batch_to_try(text: str) -> None:
    error = model_error(RuntimeError(text), 64)

    assert "A batch of 64 images does not fit" in str(error)
    assert "--batch-size 32" in error.hint
    assert model_error(RuntimeError("CUDNN_STATUS_EXECUTION_FAILED"), 64).hint == ""


def test_cuda_options_fix_the_algorithms_and_prefer_nhwc_where_tensor_cores_are_used(
    tiny_model: ExportedModel,
) -> None:
    half = dataclasses.replace(tiny_model, precision="fp16")

    assert door.cuda_options(tiny_model, 3) == {
        "device_id": "3",
        "cudnn_conv_algo_search": "HEURISTIC",
        "cudnn_conv_use_max_workspace": "1",
        "use_tf32": "0",
        "do_copy_in_default_stream": "1",
        "enable_cuda_graph": "0",
        "prefer_nhwc": "0",
    }
    assert door.cuda_options(half, 0)["prefer_nhwc"] == "1"


def two_inputs() -> onnx.ModelProto:
    graph = mean_colour_graph()
    graph.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    graph.graph.node.append(helper.make_node("Neg", ["more"], ["unused"]))
    return graph


def reduced(
    operator: str,
    to: int,
    axes: list[int],
    **changes: Any,  # noqa: ANN401 - make_graph's
) -> onnx.ModelProto:
    """Return a graph that casts the images and reduces them."""
    nodes = [
        helper.make_node("Cast", ["images"], ["f"], to=to),
        helper.make_node(operator, ["f"], ["embedding"], axes=axes, keepdims=0),
    ]
    return make_graph(nodes, **changes)


FLOAT, INT32 = TensorProto.FLOAT, TensorProto.INT32
WRONG = {
    "two inputs": two_inputs(),
    "float input": reduced("ReduceMean", FLOAT, [1, 2], input_type=FLOAT),
    "channels first": reduced("ReduceMean", FLOAT, [2, 3], input_shape=("batch", 3, SIZE, SIZE)),
    "another size": reduced("ReduceMean", FLOAT, [1, 2], input_shape=("n", SIZE + 1, SIZE + 1, 3)),
    "integer output": reduced("ReduceMax", INT32, [1, 2], output_type=INT32),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_model_of_another_signature_is_refused(tmp_path: Path, kind: str) -> None:
    model = save(WRONG[kind], tmp_path / "wrong.onnx")

    with pytest.raises(ModelError, match=r"it must take one|the sidecar says"):
        EmbedSession(model, CPU, batch_size=2)


def test_a_sidecar_that_promises_another_width_is_refused(tiny_model: ExportedModel) -> None:
    spec = dataclasses.replace(tiny_model.spec, dim=2048)
    model = dataclasses.replace(tiny_model, spec=spec)

    with pytest.raises(ModelError, match="sidecar says float"):
        EmbedSession(model, CPU, batch_size=2)


def test_a_fixed_batch_that_is_not_ours_is_a_model_error(
    tmp_path: Path, pixels: NDArray[np.uint8]
) -> None:
    """A graph exported for batches of 8 cannot be fed 4: onnxruntime's own exception must not come through."""
    graph = mean_colour_graph()
    del graph.graph.input[0]
    graph.graph.input.append(
        helper.make_tensor_value_info("images", TensorProto.UINT8, [8, SIZE, SIZE, 3])
    )
    model = save(graph, tmp_path / "eight.onnx")

    with pytest.raises(ModelError):
        EmbedSession(model, CPU, batch_size=4).embed(pixels[:4])


def test_a_graph_onnxruntime_cannot_load_is_a_model_error(tmp_path: Path) -> None:
    nodes: list[onnx.NodeProto] = [helper.make_node("NoSuchOperator", ["images"], ["embedding"])]

    with pytest.raises(ModelError, match="cannot be loaded with CPUExecutionProvider"):
        EmbedSession(save(make_graph(nodes), tmp_path / "x.onnx"), CPU, batch_size=2)


@needs_no_cuda
def test_cuda_never_falls_back_silently(tiny_model: ExportedModel) -> None:
    with pytest.raises(ModelError, match="this onnxruntime has no CUDA provider") as caught:
        choose_provider("cuda")
    assert "fer-audit[gpu]" in caught.value.hint

    with pytest.raises(ModelError):
        EmbedSession(tiny_model, CUDA, batch_size=2)
    assert choose_provider("auto") == choose_provider("cpu") == CPU


def test_a_provider_that_does_not_load_is_an_error_and_no_fallback(
    tiny_model: ExportedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime itself falls back to the CPU with a warning when CUDA's libraries are missing; so does this."""
    monkeypatch.setattr(door, "_providers", lambda _, __: [CPU])

    with pytest.raises(ModelError, match=f"asked for Other, onnxruntime loaded {CPU}"):
        EmbedSession(tiny_model, "Other", batch_size=2)


def test_without_onnxruntime_the_error_is_one_line_that_says_what_to_add(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ModelError, match="onnxruntime is not installed") as caught:
        available_providers()

    assert "fer-audit[cpu]" in caught.value.hint


WATCHED = """
import os, sys

opened = []
def watch(event, args):
    if event.startswith("socket.") or event in ("urllib.Request", "subprocess.Popen", "os.fork"):
        opened.append(event)
sys.addaudithook(watch)

from pathlib import Path
import numpy as np
from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.sidecar import load_model

session = EmbedSession(load_model(Path(sys.argv[1])), CPU, batch_size=2)
session.embed(np.zeros((2, 32, 32, 3), np.uint8))
import time
time.sleep(0.5)  # a telemetry thread would be up by now
sockets = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
           if os.path.islink(f"/proc/self/fd/{fd}")]
print(opened, [name for name in sockets if name.startswith("socket:")],
      os.environ["ORT_DISABLE_TELEMETRY"])
"""
QUIET_UNDER = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "JENKINS_URL", "BUILD_ID")
"""onnxruntime sends no telemetry where it sees a build server, so a test there would prove nothing."""


def as_on_a_desk(home: Path) -> dict[str, str]:
    """Return the environment of somebody's own machine: a home, and no build server."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    assert not set(kept) & set(QUIET_UNDER)
    return {**kept, "HOME": str(home), "TMPDIR": str(home / "tmp")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give an empty home folder with a tmp of its own."""
    (tmp_path / "home" / "tmp").mkdir(parents=True)
    return tmp_path / "home"


def test_a_session_opens_no_socket_and_leaves_nothing_behind(
    tiny_model: ExportedModel, home: Path
) -> None:
    """With telemetry on, onnxruntime >= 1.29 keeps an id under the home folder and talks to the network.

    Python's audit events see what Python opens; /proc/self/fd and, where it is installed, strace see what C++ opens.
    """
    trace = home.parent / "trace.txt"
    strace = shutil.which("strace")
    prefix = (
        [strace, "-f", "-o", str(trace), "-e", "trace=socket,connect,sendto"] if strace else []
    )
    command = [*prefix, sys.executable, "-c", WATCHED, str(tiny_model.path)]

    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=as_on_a_desk(home), cwd=home
    )

    assert done.stdout.strip() == "[] [] 1"
    assert [path for path in home.rglob("*") if path.is_file()] == []
    if strace:
        calls = [line for line in trace.read_text().splitlines() if re.search(r"\w\(", line)]
        assert calls == []


def test_telemetry_is_off_even_where_somebody_switched_it_on(tmp_path: Path) -> None:
    code = "import os, fer_audit; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {**as_on_a_desk(tmp_path), "ORT_DISABLE_TELEMETRY": "0"}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.strip() == "1"
