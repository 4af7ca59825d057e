"""Parse `--device` into a provider and the numbers of its devices. No library is loaded here."""

from __future__ import annotations

from fer_audit.embed.types import CPU, CUDA, Place
from fer_audit.errors import ModelError

ALL = "all"


def place_for(device: str, providers: list[str], n_cuda: int) -> Place:
    """Return where `device` is, given the wheel's providers and how many CUDA devices there are.

    `auto` is the first CUDA device where the wheel and the machine have one, else the CPU.
    `cuda` (the first device), `cuda:0,1` and `cuda:all` are CUDA or a ModelError that names what is missing.
    """
    kind, _, numbers = device.partition(":")
    if kind == "cpu" or (kind == "auto" and (CUDA not in providers or n_cuda == 0)):
        return Place(CPU, (0,))
    if CUDA not in providers:
        raise ModelError(
            f"--device {device}: this onnxruntime has no CUDA provider (it has {', '.join(providers)})",
            hint="pip uninstall onnxruntime; pip install 'fer-audit[gpu]' (in a checkout: '.[gpu]'). Or run with --device cpu.",
        )
    if n_cuda == 0:
        raise ModelError(
            f"--device {device}: there is no CUDA device here, or NVIDIA's driver does not load",
            hint="nvidia-smi shows what the driver sees; CUDA_VISIBLE_DEVICES hides devices. Or run with --device cpu.",
        )
    chosen = _numbers(numbers, n_cuda)
    missing = [number for number in chosen if number >= n_cuda]
    if missing:
        there = "only device 0 is" if n_cuda == 1 else f"devices 0 to {n_cuda - 1} are"
        raise ModelError(
            f"--device {device}: there is no CUDA device {missing[0]}; {there} here",
            hint="Use --device cuda:all for all of them.",
        )
    return Place(CUDA, chosen)


def _numbers(numbers: str, n_cuda: int) -> tuple[int, ...]:
    if not numbers:
        return (0,)
    if numbers == ALL:
        return tuple(range(n_cuda))
    return tuple(int(number) for number in numbers.split(","))
