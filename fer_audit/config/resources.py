"""Speed, and where things are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fer_audit.config.checks import at_least
from fer_audit.errors import ConfigError

_NUMBER = r"(0|[1-9][0-9]{0,3})"
DEVICE = rf"auto|cpu|cuda(:(all|{_NUMBER}(,{_NUMBER})*))?"
"""How a device is written: `cuda` is the first CUDA device, `cuda:0,1` are two, `cuda:all` is every one."""

PackMode = Literal["auto", "on", "off"]

MAX_FILE_SECONDS = 86_400.0
FILE_SECONDS = 30.0
"""Any photograph is decoded in a second or two, even the largest allowed one on a slow machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What changes the speed of a run and where it keeps things, never its numbers.

    The device can change the last bits of an embedding; the provider actually used is therefore part of
    the fingerprint of the vectors, not this setting.
    """

    device: str = "auto"
    """auto, cpu, cuda, cuda:0,1 or cuda:all; see DEVICE. Several devices share the shards of one run."""
    threads: int | None = None
    """Threads of the model; None = the cores this process may use."""
    workers: int | None = None
    """Processes that decode images; None = the cores this process may use, at most eight."""
    file_seconds: float = FILE_SECONDS
    """Seconds one file may take to decode; over them it fails as `timeout`."""
    pack: PackMode = "auto"
    """Keep the decoded pixels: on, off, or auto = when the disk has room."""
    cache_dir: Path | None = None
    """None = the user's cache folder."""
    models_dir: Path | None = None
    """None = models/ of a source checkout, else a folder in the user's cache."""
    verify: bool = False
    """Read every file again to see whether its bytes are those that were embedded."""
    max_errors: float = 0.01
    """Share of failed images above which the exit code is 4."""

    def __post_init__(self) -> None:
        """Refuse what no machine has."""
        at_least(self, 1, "threads", "workers")
        if not 0 <= self.max_errors <= 1:
            raise ConfigError(f"max_errors is {self.max_errors}; it must be between 0 and 1")
        if not 0 < self.file_seconds <= MAX_FILE_SECONDS:
            raise ConfigError(
                f"file_seconds is {self.file_seconds}; it must be more than 0, and a day at most"
            )
        numbers = self.device.partition(":")[2].split(",")
        if not re.fullmatch(DEVICE, self.device) or len(set(numbers)) < len(numbers):
            raise ConfigError(
                f"device is {self.device!r}; it must be auto, cpu or cuda",
                hint="cuda is the first device; name others once each: cuda:1, cuda:0,1 or cuda:all",
            )
