"""Audit face datasets: who is in them, and whether a latent space sorts people by who they are."""

from __future__ import annotations

import os

# onnxruntime >= 1.29 sends telemetry unless this is set before its first import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
