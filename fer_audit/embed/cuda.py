"""Count CUDA devices and lock pages of memory, which onnxruntime's Python interface cannot do.

Both are plain C calls of libraries that are there already: the driver's, and the runtime onnxruntime has loaded.
On a machine without them every function here says so and nothing is loaded.
"""

from __future__ import annotations

import ctypes
import os
import weakref

import numpy as np
from numpy.typing import NDArray

DRIVER = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
"""Comes with NVIDIA's driver, never with a wheel."""

RUNTIMES = ("libcudart.so.13", "libcudart.so.12")
"""The CUDA runtimes that onnxruntime-gpu >= 1.22 is built for; pages are locked on Linux only."""

_SUCCESS = 0
_PORTABLE = 1
"""cudaHostRegisterPortable: locked for every device, not only for the current one."""


def device_count(driver: str = DRIVER) -> int:
    """Return how many CUDA devices this process may use; CUDA_VISIBLE_DEVICES counts. 0 without a driver."""
    try:
        library = ctypes.CDLL(driver)
        count = ctypes.c_int(0)
        if library.cuInit(0) != _SUCCESS or library.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def lock_pages(array: NDArray[np.uint8], runtimes: tuple[str, ...] = RUNTIMES) -> bool:
    """Pin an array, so that a device reads it without a copy in between; say whether that was possible.

    It stays pinned until it is collected. Unpinned memory gives the same vectors and costs the CPU a copy.
    """
    library = _loaded(runtimes)
    if library is None:
        return False
    address, size = ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes)
    if library.cudaHostRegister(address, size, ctypes.c_uint(_PORTABLE)) != _SUCCESS:
        return False
    weakref.finalize(array, library.cudaHostUnregister, address)
    return True


def _loaded(runtimes: tuple[str, ...]) -> ctypes.CDLL | None:
    """Return the first of these libraries that this process has loaded; none is loaded for it."""
    mode = getattr(os, "RTLD_NOLOAD", None)
    if mode is None:
        return None
    for name in runtimes:
        try:
            return ctypes.CDLL(name, mode=mode | os.RTLD_NOW)
        except OSError:
            continue
    return None
