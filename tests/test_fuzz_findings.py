"""What fuzzing and its reading found, each as small as it gets: a refusal in words now, and what it was before."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fuzz.judge import judge
from tests.fuzz.targets import TARGETS


def parquet_with(old: bytes, new: bytes) -> bytes:
    """Return a table in which some bytes were exchanged: no writer would make one whose names are no UTF-8."""
    file = io.BytesIO()
    table = pa.table({"path": ["a.jpg", "b.jpg"], "race": ["zzzz", "yyyy"]})
    pq.write_table(table, file, compression="none", use_dictionary=False, store_schema=False)
    assert old in file.getvalue()
    return file.getvalue().replace(old, new)


DOCUMENT = {
    name: bytes([index])
    for index, name in enumerate(
        ("reference", "done", "result", "pictures", "timings", "manifest", "card", "truth")
    )
}
"""The first byte of an input of the target "document"."""

PRINTS = {"dataset": "1", "pack": "2", "embed": "3", "cluster": "4", "audit": "5"}
"""What the target "document" asks for."""

DEEP = b"[" * 5_000
"""Deeper than Python's stack: RecursionError is no ValueError."""

FOUND: dict[str, tuple[str, bytes]] = {
    # click took the values as they were: AttributeError, TypeError
    "a number for a switch": ("settings", b"blur-faces = 1"),
    "a list for a number": ("settings", b"k = [1, 2]"),
    "a table for an option": ("settings", b"out = {a = 1}"),
    "a date for an option": ("settings", b"seed = 1979-05-27"),
    "a number for a list of columns": ("settings", b"group = [3]"),
    # tomllib raises more than TOMLDecodeError
    "a number of 5,000 digits": ("settings", b"seed = " + b"9" * 5_000),
    "the same in base 16": ("settings", b"seed = 0x" + b"f" * 5_000),
    "lists in lists in TOML": ("settings", b"k = " + DEEP),
    # no path holds a zero byte, and no command line can give one
    "a zero byte in a path": ("settings", b'out = "a\\u0000b"'),
    # pyarrow decodes names and words late: UnicodeDecodeError
    "a column's name is no UTF-8": ("table_parquet", parquet_with(b"race", b"r\xffce")),
    "a word is no UTF-8": ("table_parquet", parquet_with(b"zzzz", b"z\xffzz")),
    # int(inf) is an OverflowError
    "infinitely many": ("document", DOCUMENT["reference"] + b'{"race": {"White": Infinity}}'),
    # read, and told to no one until the report formatted it
    "seconds that are a text": (
        "document",
        DOCUMENT["timings"] + b'[{"stage": "embed", "items": 1, "seconds": "1"}]',
    ),
    "a run that names a file of a thousand letters": (
        "document",
        DOCUMENT["done"]
        + json.dumps(
            {"fingerprints": PRINTS, "files": {"rows.csv": "", "x" * 1_000: ""}}
        ).encode(),
    ),
    **{f"lists in lists in {name}": ("document", byte + DEEP) for name, byte in DOCUMENT.items()},
    "lists in lists in a sidecar": ("model_sidecar", DEEP),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.filterwarnings("error")
def test_what_was_found_is_a_value_or_a_refusal_now(name: str, tmp_path: Path) -> None:
    target, data = FOUND[name]

    finding = judge(TARGETS[target], data, tmp_path)

    assert finding is None, finding.trace
