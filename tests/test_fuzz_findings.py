"""What fuzzing and its reading found, each as small as it gets: a refusal in words now, and what it was before."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fuzz.judge import judge
from tests.fuzz.set_seeds import parquet_images
from tests.fuzz.sets import LISTS
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


FACES = tuple(parquet_images())


def damaged(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a file with its first `old` exchanged; bytes in front keep the end where it is."""
    assert old in data
    changed = data.replace(old, new, 1)
    return b" " * (len(data) - len(changed)) + changed


LIST = {name: bytes([i]) for i, (_, name, _) in enumerate(LISTS)}
"""The first byte of an input of the target "label_list"."""

FACE = b" 0 1 1 9 9 88.5 3\n"
"""A line of ExpW behind the name of the image."""

VOTERS = b"neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"

FOUND |= {
    # the columns that a list has were taken for granted: KeyError, IndexError, ValueError
    "a list of RAF-DB with one column": ("label_list", LIST["list_patition_label.txt"] + b"a"),
    "parts of CelebA without numbers": ("label_list", LIST["list_eval_partition.txt"] + b"a"),
    "a list of AffectNet with two columns": ("label_list", LIST["training.csv"] + b"a.jpg,1\n"),
    # the process ended: pyarrow throws where nothing catches
    "a size statistic is gone": (
        "images_parquet",
        damaged(FACES[3], b"\x16\x00\x19\x06\x196", b"\x16\x00\x196"),
    ),
    # 1.8 GB for a file of 6 KB
    "a page says that it is larger than its file": (
        "images_parquet",
        FACES[0].replace(
            b"PAR1\x15\x04\x15\xfe\n\x15", b"PAR1\x15\x04\x15\xfe\n\x15" + b"\xd0\xed\xa2" * 2, 1
        ),
    ),
    # an attribute of another length than the ids
    "a footer with more rows than its groups": (
        "images_parquet",
        damaged(FACES[0], b"\x16\x04\x19\x2c", b"\x16\x06\x19\x2c"),
    ),
    # lines that Python splits where bytes have none, and a carriage return in the first record
    "a line of a separator": ("table_text", b"\x1c"),
    "a carriage return in a line": ("label_list", LIST["list_patition_label.txt"] + b" \r\x01\n"),
    "a delimiter that is no byte": ("table_text", "sep=é\na.jpgéx\n".encode()),
    "two signs of a box": (
        "label_list",
        LIST["label.lst"] + b"a.jpg 0 --5 1 9 9 1 0\na.jpg" + FACE,
    ),
    "a side of 5,000 digits": (
        "label_list",
        LIST["label.lst"] + b"a.jpg 0 " + b"9" * 5_000 + b" 1 9 9 1 0\na.jpg" + FACE,
    ),
    "a face twice": ("label_list", LIST["label.lst"] + 2 * (b"a.jpg" + FACE)),
    "a control character in a vote": (
        "label_list",
        LIST["fer2013new.csv"]
        + (b"Usage,Image name,%b\nTraining,a.png,\x1c8,0,0,0,0,0,0,1,1,0\n" % VOTERS),
    ),
    "half a character in a path": (
        "label_list",
        LIST["metadata.jsonl"] + b'{"file_name": "\\ud800"}\n{"file_name": "a.jpg"}',
    ),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.filterwarnings("error")
def test_what_was_found_is_a_value_or_a_refusal_now(name: str, tmp_path: Path) -> None:
    target, data = FOUND[name]

    finding = judge(TARGETS[target], data, tmp_path)

    assert finding is None, finding.trace
