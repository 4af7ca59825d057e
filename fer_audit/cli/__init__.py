"""The command line: a thin coat over the library."""

from __future__ import annotations

from fer_audit.cli.app import main

__all__ = ["main"]
