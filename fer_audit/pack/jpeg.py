"""Recognise from its markers alone a JPEG that would take minutes to decode."""

from __future__ import annotations

import re

_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Every marker with a length behind it, and the end: not a stuffed or fill byte, TEM or a restart (T.81, B.1.1)."""

MAX_SCANS = 100
"""A scan of a few bytes visits every block: 450 of them keep 64 MP busy for 44 s. libjpeg-turbo writes 10 (jcparam.c,
jpeg_simple_progression), and its own fuzzers give up at 500."""
MAX_MARKERS = 100_000
"""A file that looks as if it had too many scans, and has more segments than this, is not walked to its end."""


def has_too_many_scans(data: bytes) -> bool:
    """Whether a JPEG has more scans than `MAX_SCANS`, from its markers alone: nothing is decoded.

    Only a file that could have so many is walked. Its scans end at the end mark, as they do for libjpeg:
    a thumbnail inside a segment and a film behind the picture do not count.
    """
    if not data.startswith(b"\xff\xd8") or data.count(b"\xff\xda") <= MAX_SCANS:
        return False
    scans, place = 0, 2
    for _ in range(MAX_MARKERS):
        found = _MARKER.search(data, place)
        if found is None or found[1][0] == _END:
            return False
        scans += found[1][0] == _SCAN
        if scans > MAX_SCANS:
            return True
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return True
