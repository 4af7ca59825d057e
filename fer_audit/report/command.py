"""The command that a result came from, as far as a result knows it."""

from __future__ import annotations

import re

from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig, setting_texts

_PLAIN = re.compile(r"[A-Za-z0-9_.,][A-Za-z0-9_.,-]*")
"""What may stand in a command without a quote; anything else is left to the reader."""
_OPTIONS = (
    *("format", "sample", "first", "model", "k", "starts", "sweep_max", "seed"),
    *("confidence", "alpha", "permutations", "bootstraps", "replay", "replay_size", "recluster"),
)
_ALWAYS = ("model", "k", "seed")
_TOLD_ELSEWHERE = (
    "path_column",
    "group",
    "label",
    "batch",
    "age_column",
    "age_bins",
    "reference",
    "given",
)


def run_command_line(result: AuditResult) -> tuple[str, bool]:
    """Return the command, and whether settings are missing from it: names of columns and a larger set's counts.

    The set's own path is not in a result, so DATASET stands for it; the built-in demo set, the only one of which
    is known what was planted, needs none. A value of anything but
    letters, digits and `_.,-`, such as a path, is left out: the option's name in capitals stands for it.
    """
    settings = dict(setting_texts(result.config))
    usual = dict(setting_texts(AuditConfig()))
    words = ["fer-audit", "run", *([] if result.planted else ["DATASET"])]
    for name in _OPTIONS:
        value = settings.get(name)
        if value is None or (name not in _ALWAYS and value == usual[name]):
            continue
        if name == "k" and settings.get("k_auto") == "true":
            value = "auto"
        flag = name.replace("_", "-")
        words.append(f"--{flag} {value if _PLAIN.fullmatch(value) else name.upper()}")
    if settings.get("keep_duplicates") == "true":
        words.append("--keep-duplicates")
    missing = any(name in settings and settings[name] != usual[name] for name in _TOLD_ELSEWHERE)
    return " ".join(words), missing
