"""One array in one .npy file: written whole or in blocks, read as a read-only memory map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ArrayBlocks:
    """An array that never has to fit in memory: an iterator of blocks of its rows."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Iterator[NDArray[Any]]


def array_writer(array: NDArray[Any] | ArrayBlocks) -> Callable[[BinaryIO], None]:
    """Return what fills an open file with an array, for `fer_audit.store.stage.write_atomically`."""
    if isinstance(array, ArrayBlocks):
        return lambda file: _write_blocks(file, array)
    return lambda file: np.save(file, np.ascontiguousarray(array), allow_pickle=False)


def _write_blocks(file: BinaryIO, array: ArrayBlocks) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    for block in array.blocks:
        file.write(np.ascontiguousarray(block, dtype=array.dtype).data)


def map_array(path: Path) -> NDArray[Any]:
    """Map a file read-only. Raises OSError, ValueError or TypeError for anything but a plain array; nothing is unpickled.

    Nothing is ever written through a map: on a full disk that is a SIGBUS, which kills the process. So is reading a file that
    was shortened while it is mapped.
    """
    if path.stat().st_size == 0:
        raise ValueError("empty file")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):  # an .npz archive under the name of an array
        array.close()
        raise TypeError(f"{path} holds no single array")
    return array
