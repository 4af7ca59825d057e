"""Every error a user can meet, and the exit code each one ends with.

    FerAuditError
    ├── ConfigError     an option, a config file or an environment variable is wrong      exit 2
    ├── ModelError      a model, its weights or its execution provider cannot be used     exit 2
    ├── DatasetError    there is no usable input                                          exit 3
    └── StoreError      the run directory or the cache cannot be used                     exit 3
        └── LockedError     another process works in it                                   exit 5

A message says what and where; `hint` says what to do next.
Foreign exceptions are translated where the foreign library is called; only `fer_audit.cli` catches these.
"""

from __future__ import annotations


class FerAuditError(Exception):
    """Base of every error that the input or the machine causes; any other exception is a bug."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        """What the user can do next; empty when the message already says it."""


class ConfigError(FerAuditError):
    """An option, a config file or an environment variable does not make sense."""


class ModelError(FerAuditError):
    """A model file, its weights or the execution provider asked for cannot be used."""


class DatasetError(FerAuditError):
    """There is no usable input where the user pointed."""

    exit_code = 3


class StoreError(FerAuditError):
    """The run directory or the cache cannot be written or read."""

    exit_code = 3


class LockedError(StoreError):
    """Another process holds the run directory."""

    exit_code = 5
