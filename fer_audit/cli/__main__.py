"""python -m fer_audit.cli."""

from __future__ import annotations

from fer_audit.cli import main

main()
