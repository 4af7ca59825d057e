"""From --device to a place: every form, and an error that names what is missing."""

from __future__ import annotations

import ctypes
import gc

import numpy as np
import pytest

from fer_audit.config import Resources
from fer_audit.embed import cuda
from fer_audit.embed.devices import place_for
from fer_audit.embed.types import CPU, CUDA, Place
from fer_audit.errors import ConfigError, ModelError

WITH_CUDA = [CUDA, CPU]


@pytest.mark.parametrize(
    ("device", "providers", "n_cuda", "place"),
    [
        ("cpu", WITH_CUDA, 4, Place(CPU, (0,))),
        ("auto", [CPU], 4, Place(CPU, (0,))),
        ("auto", WITH_CUDA, 0, Place(CPU, (0,))),
        ("auto", WITH_CUDA, 4, Place(CUDA, (0,))),
        ("cuda", WITH_CUDA, 4, Place(CUDA, (0,))),
        ("cuda:2", WITH_CUDA, 4, Place(CUDA, (2,))),
        ("cuda:3,1", WITH_CUDA, 4, Place(CUDA, (3, 1))),
        ("cuda:all", WITH_CUDA, 3, Place(CUDA, (0, 1, 2))),
        ("cuda:all", WITH_CUDA, 1, Place(CUDA, (0,))),
    ],
)
def test_a_device_is_a_provider_and_numbers(
    device: str, providers: list[str], n_cuda: int, place: Place
) -> None:
    assert place_for(device, providers, n_cuda) == place


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:0,1", "cuda:all"])
def test_cuda_in_any_form_is_cuda_or_an_error(device: str) -> None:
    with pytest.raises(ModelError, match="this onnxruntime has no CUDA provider") as no_wheel:
        place_for(device, [CPU], 2)
    with pytest.raises(ModelError, match="there is no CUDA device here") as no_device:
        place_for(device, WITH_CUDA, 0)

    assert "fer-audit[gpu]" in no_wheel.value.hint
    assert "nvidia-smi" in no_device.value.hint


def test_a_device_that_does_not_exist_is_named_beside_those_that_do() -> None:
    with pytest.raises(ModelError, match="no CUDA device 7; devices 0 to 3 are here"):
        place_for("cuda:0,7", WITH_CUDA, 4)
    with pytest.raises(ModelError, match="no CUDA device 1; only device 0 is here"):
        place_for("cuda:1", WITH_CUDA, 1)


@pytest.mark.parametrize(
    "device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11", "cuda:0,1", "cuda:all"]
)
def test_these_are_devices(device: str) -> None:
    assert Resources(device=device).device == device


@pytest.mark.parametrize(
    "device",
    [
        *("", "tpu", "cpu:0", "auto:1", "CUDA", "cuda:", "cuda:x", "cuda:0,", "cuda:0,0"),
        *("cuda:-1", "cuda:01", "cuda:all,1", "cuda:0 ", "cuda:٣", "cuda:0\n"),
    ],
)
def test_these_are_not(device: str) -> None:
    with pytest.raises(ConfigError, match="it must be auto, cpu or cuda"):
        Resources(device=device)


def test_a_library_that_is_no_driver_counts_no_device() -> None:
    """The C library is there and has no cuInit: neither is a reason to crash."""
    assert cuda.device_count("libnowhere.so.1") == 0
    assert cuda.device_count("libc.so.6") == 0


def test_pages_are_locked_only_by_a_runtime_this_process_has_loaded() -> None:
    pixels = np.zeros((2, 4, 4, 3), np.uint8)

    assert not cuda.lock_pages(pixels, ("libnowhere.so.1",))


class Runtime:
    """Counts as cudaHostRegister and its counterpart do, with real memory and no device."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.locked: dict[int, int] = {}

    def cudaHostRegister(
        self, address: ctypes.c_void_p, size: ctypes.c_size_t, flags: ctypes.c_uint
    ) -> int:
        assert flags.value == 1
        if self.status == 0:
            self.locked[address.value or 0] = size.value
        return self.status

    def cudaHostUnregister(self, address: ctypes.c_void_p) -> int:
        del self.locked[address.value or 0]
        return 0


@pytest.mark.parametrize("status", [0, 2])
def test_pages_stay_locked_as_long_as_the_array_lives(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """2 is cudaErrorMemoryAllocation: too much is locked already, and the run goes on without."""
    runtime = Runtime(status)
    monkeypatch.setattr(cuda, "_loaded", lambda _: runtime)
    pixels = np.zeros((2, 4, 4, 3), np.uint8)

    assert cuda.lock_pages(pixels) is (status == 0)
    assert runtime.locked == ({pixels.ctypes.data: pixels.nbytes} if status == 0 else {})

    del pixels
    gc.collect()
    assert not runtime.locked
