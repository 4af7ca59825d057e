"""Sessions of ONNX Runtime: provider, threads, and a check of what was really loaded. The only module that imports it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import Precision
from fer_audit.cores import usable_cores
from fer_audit.embed.buffers import BoundSlot
from fer_audit.embed.cuda import device_count
from fer_audit.embed.devices import place_for
from fer_audit.embed.ring import stream
from fer_audit.embed.types import CPU as CPU  # the providers' names are part of this door
from fer_audit.embed.types import CUDA as CUDA
from fer_audit.embed.types import Place
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError

SUMMED = 16
"""White images that `sums_saturate` asks with: enough for the kernels that real batches use."""

IN_FLIGHT = 2
"""Batches held by one session: one that is computed, one that is copied."""

CUDA_OPTIONS = {
    "cudnn_conv_algo_search": "HEURISTIC",
    "cudnn_conv_use_max_workspace": "1",
    "use_tf32": "0",
    "do_copy_in_default_stream": "1",
    "enable_cuda_graph": "0",
}
"""Options of the CUDA provider, chosen from its documentation; none was measured by us.

HEURISTIC picks the same algorithms in every run, so a resumed run keeps its bits; EXHAUSTIVE times them again each time.
The large workspace lets cuDNN take its fastest ones. TF32 would make fp32 a 10-bit format.
Copies in a stream of their own are documented as a race. CUDA graphs save the launches of about a hundred kernels, which
weigh little compared with the work of a batch of 32 and more.
"""

INSTALL_HINT = "pip install 'fer-audit[cpu]', or 'fer-audit[gpu]' on a machine with CUDA; in a checkout: pip install '.[cpu]'."


def _onnxruntime() -> Any:  # noqa: ANN401 - a module without types
    """Import onnxruntime; fer_audit/__init__.py has switched its telemetry off by then."""
    try:
        import onnxruntime
    except ImportError as exc:
        raise ModelError("onnxruntime is not installed", hint=INSTALL_HINT) from exc
    if not hasattr(onnxruntime, "InferenceSession"):
        raise ModelError(
            "onnxruntime is installed but empty: its wheel was overwritten or removed",
            hint="pip uninstall onnxruntime onnxruntime-gpu, then install one of the two again.",
        )
    return onnxruntime


def runtime_version() -> str:
    """Return onnxruntime's version."""
    return str(_onnxruntime().__version__)


def available_providers() -> list[str]:
    """Return the execution providers of the installed wheel, best first."""
    return [str(name) for name in _onnxruntime().get_available_providers()]


def choose_place(device: str) -> Place:
    """Return the provider and the devices that `device` stands for on this machine.

    `cuda` in any form is CUDA or a ModelError; `auto` is CUDA where wheel and machine have it, else the CPU.
    """
    return place_for(device, available_providers(), device_count())


def choose_provider(device: str) -> str:
    """Return the provider that `device` stands for on this machine; see `choose_place`."""
    return choose_place(device).provider


def cuda_options(model: ExportedModel, device: int) -> dict[str, str]:
    """Return the options of the CUDA provider for a model on one device."""
    return {"device_id": str(device), **cuda_algorithms(model.precision)}


def cuda_algorithms(precision: Precision) -> dict[str, str]:
    """Return the options that the vectors depend on, on whichever device.

    Tensor cores work on NHWC, and onnxruntime would transpose around every fp16 convolution; fp32 without TF32 does not
    use them.
    """
    return {**CUDA_OPTIONS, "prefer_nhwc": "1" if precision == "fp16" else "0"}


def refuse_half_on_cpu(name: str, precision: Precision, provider: str) -> None:
    """Raise ModelError for a network in fp16 on the CPU."""
    if precision == "fp16" and provider == CPU:
        raise ModelError(
            f"{name} is fp16, which the CPU provider would convert to fp32 and back",
            hint="fp16 is for CUDA; on a CPU use --precision fp32 or int8.",
        )


def open_sessions(
    model: ExportedModel, place: Place, *, batch_size: int, threads: int | None = None
) -> list[EmbedSession]:
    """Return one session for each device of `place`.

    Raises ModelError for what would work and be slow: the CPU provider has no fp16 convolution on x86, it would convert
    everything to fp32 and back.
    """
    refuse_half_on_cpu(model.spec.name, model.precision, place.provider)
    return [
        EmbedSession(model, place.provider, batch_size=batch_size, threads=threads, device=number)
        for number in place.devices
    ]


class EmbedSession:
    """A loaded model on one device: uint8 (batch, size, size, 3) in, float32 (batch, dim) out.

    CPU and CUDA go the same way: fixed buffers bound once to the model's input and output, and a worker that computes
    one of them while the caller's thread serves the other.
    Raises ModelError when the file is no such model, or when another provider than the one asked for was loaded.
    """

    def __init__(
        self,
        model: ExportedModel,
        provider: str,
        *,
        batch_size: int,
        threads: int | None = None,
        device: int = 0,
    ) -> None:
        """Load the model."""
        ort = _onnxruntime()
        if provider == CUDA:
            ort.preload_dlls()
        options = cuda_options(model, device) if provider == CUDA else {}
        data = model.read()
        try:
            self._session = ort.InferenceSession(
                data,
                _session_options(ort, model, provider, threads),
                providers=_providers(provider, options),
                enable_fallback=0,  # it would print, and go on with the CPU
            )
            self._session._model_bytes = None  # kept for that fallback: as large as the file
        except Exception as exc:  # onnxruntime's exceptions share no base class
            raise ModelError(
                f"{model.path} cannot be loaded with {provider}: {exc}",
                hint="fer-audit doctor shows what this machine has.",
            ) from exc
        self.provider = str(self._session.get_providers()[0])
        if self.provider != provider:
            raise ModelError(
                f"asked for {provider}, onnxruntime loaded {self.provider}",
                hint="fer-audit doctor shows what is missing. Or run with --device cpu.",
            )
        self.batch_size = batch_size = model.spec.batch or batch_size
        self.dim = model.spec.dim
        names = _checked_signature(self._session, model)
        shape = (batch_size, model.spec.size, model.spec.size, 3)
        self._slots = [
            BoundSlot(ort, self._session, names, shape, self.dim, device=device)
            for _ in range(IN_FLIGHT)
        ]
        # one thread for the session's life: what CUDA captures and cuDNN sets up belongs to the thread that ran it
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="embed")

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (n, dim) vectors of n <= batch_size images; short batches are padded with black.

        Always the same shape reaches the model: another one would re-tune CUDA's convolutions and could change last bits.
        """
        return next(self.stream([pixels]))

    def stream(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors of every batch, in order; the next batch is copied while one is computed.

        One stream at a time: the next may begin when this one is exhausted or closed.
        """
        return stream(self._slots, batches, self._worker)

    def close(self) -> None:
        """Wait for the batch in progress and end the worker thread. Nothing can be embedded after that."""
        self._worker.shutdown()


def _session_options(
    ort: Any,  # noqa: ANN401 - no types
    model: ExportedModel,
    provider: str,
    threads: int | None,
) -> Any:  # noqa: ANN401 - no types
    options = ort.SessionOptions()
    # what it would log comes as an exception too; its log takes names out of the model to the terminal, unescaped
    options.log_severity_level = 4
    if provider == CUDA:
        options.intra_op_num_threads = threads or 1  # nothing of the graph runs on the CPU
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    else:
        options.intra_op_num_threads = threads or usable_cores()
        # a waiting thread that spins takes its core from decoding: on two busy cores, 32 runs in turns, ResNet50 took
        # 0.80 s a run without spinning and 0.89 with (medians; fastest 0.51 and 0.60)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if model.precision == "int8" and not model.reduced_range and sums_saturate():
            # exact kernels for 8-bit weights. Only here: where VNNI adds in 32 bits they change no number and take
            # three times as long (ResNet50, 16 images: 32 images/s with the option, 96 without)
            options.add_session_config_entry("session.x64quantprecision", "1")
    return options


@functools.cache
def sums_saturate() -> bool:
    """Return whether this processor adds products of bytes in 16 bits, where they do not fit.

    Asked with white images times the largest weights, a sum whose answer is known.
    """
    from fer_audit.embed.saturation import EXACT_SUM, SIZE, saturation_graph

    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        saturation_graph().SerializeToString(), options, providers=[CPU], enable_fallback=0
    )
    white = np.full((SUMMED, SIZE, SIZE, 3), 255, np.uint8)
    (sums,) = session.run(None, {"images": white})
    return bool((sums != EXACT_SUM).any())


def run_all(data: bytes, batches: Sequence[NDArray[np.uint8]]) -> list[list[NDArray[Any]]]:
    """Return every output of a graph of one input for each batch of (n, size, size, 3) images, on one thread of the CPU.

    To look at a graph that is not ours yet; ModelError when it cannot be loaded or does not run.
    """
    ort = _onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = ort.InferenceSession(data, options, providers=[CPU], enable_fallback=0)
        name = session.get_inputs()[0].name
        return [list(session.run(None, {name: pixels})) for pixels in batches]
    except Exception as exc:  # onnxruntime's exceptions share no base class
        first = str(exc).strip().splitlines()[0]
        raise ModelError(f"onnxruntime {ort.__version__} does not run it: {first}") from exc


def _providers(provider: str, options: dict[str, str]) -> list[str | tuple[str, dict[str, str]]]:
    return [(provider, options) if options else provider]


def _checked_signature(session: Any, model: ExportedModel) -> tuple[str, str]:  # noqa: ANN401 - no types
    """Return the names of input and output of a graph that takes and gives what the sidecar says."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    size, dim, batch = model.spec.size, model.spec.dim, model.spec.batch
    fits_input = (
        len(inputs) == 1
        and inputs[0].type == "tensor(uint8)"
        and list(inputs[0].shape[1:]) == [size, size, 3]
        and (inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None) == batch
    )
    if not fits_input:
        got = ", ".join(f"{x.name} {x.type} {x.shape}" for x in inputs)
        raise ModelError(
            f"{model.path} takes {got}; it must take one tensor(uint8) ({batch or 'batch'}, {size}, {size}, 3)"
            + ("" if batch else ", the batch of any size"),
            hint=f"A model of another shape is made ours with: fer-audit models add {model.path}",
        )
    output = outputs[0]
    if output.type != "tensor(float)" or list(output.shape[1:]) != [dim]:
        raise ModelError(
            f"{model.path} gives {output.type} {output.shape}, the sidecar says float (batch, {dim})",
            hint="Export it again with: fer-audit export --force",
        )
    return inputs[0].name, output.name


def installed_wheels() -> list[str]:
    """Return the onnxruntime wheels that are installed; two of them overwrite each other."""
    from importlib import metadata

    names = {str(dist.metadata["Name"]).lower() for dist in metadata.distributions()}
    return sorted(names & {"onnxruntime", "onnxruntime-gpu"})
