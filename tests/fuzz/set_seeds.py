"""Where fuzzing of datasets starts: small tables, archives, cells and lists that are read well."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.sets import LISTS
from tests.pack.files import checker, encoded


def text_tables() -> Iterator[bytes]:
    """Yield tables of two lines in the dialects we read."""
    yield b"path,race,gender,age\na.jpg,Asian,female,23\nb.jpg,Black,male,3-9\n"
    yield b"\xef\xbb\xbffile;emotion;split\r\na.jpg;happy;train\r\n;;\r\nb.jpg;sad;test\r\n"
    yield b'image\tlabel\n"a.jpg"\t"two\nlines"\nb.jpg\tsad\textra\n/etc/passwd\t1\n'
    yield "path,race\n./a.jpg,Ñandú\nA\\b.jpg,\n../x.jpg,NA\nb.jpg,Roma\n".encode()
    yield b"face_name_align,race,race_scores_fair,age\na.jpg,White,[0.1],20-29\nb.jpg,Black,x,9-Mar\n"


def parquet_tables() -> Iterator[bytes]:
    """Yield tables with the types that a column may have, plain and compressed."""
    columns: dict[str, Any] = {
        "path": ["a.jpg", "b.jpg"],
        "race": pa.array(["Asian", None]).dictionary_encode(),
        "age": [23.0, None],
        "gender": [True, False],
        "split": pa.array([1, 2], pa.int8()),
    }
    for compression in ("none", "snappy", "gzip", "zstd"):
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file, compression=compression)
        yield file.getvalue()
    other: dict[str, Any] = {
        "path": pa.array(["a.jpg", "b.jpg"], pa.large_string()),
        "race": [["x"], ["y"]],
        "gender": pa.array([0, 1], pa.date32()),
        "emotion": pa.array([1, 2], pa.timestamp("us", "UTC")),
    }
    file = io.BytesIO()
    pq.write_table(pa.table(other), file, use_dictionary=False, compression="none")
    yield file.getvalue()


def npy_labels() -> Iterator[bytes]:
    """Yield label files of one word or number, and arrays that are no label."""
    values: tuple[Any, ...] = ("7", "10", b"3", 0, np.array("5", ">U2"), -0.25, [1, 2])
    for value in values:
        file = io.BytesIO()
        np.save(file, np.asarray(value), allow_pickle=False)
        yield file.getvalue()


def archives() -> Iterator[bytes]:
    """Yield archives of two images with their labels in each form of tar, and odd members."""
    members = {
        "a.jpg": encoded(checker(16), "JPEG"),
        "a.json": b'{"race": "A", "age": 23, "n": [1]}',
        "b/c.d.png": encoded(checker(16), "PNG"),
        "b/c.cls": b"1",
        "readme.md": b"",
    }
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        yield _packed(members, form)
    yield _packed({"x" * 150 + ".jpg": b"x", "\u00e9.txt": b"y"}, tarfile.PAX_FORMAT)
    yield _packed({"x" * 150 + ".jpg": b"x", "x" * 150 + ".txt": b"y"}, tarfile.GNU_FORMAT)


def _packed(members: dict[str, bytes], form: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("c.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "a.jpg"
        archive.addfile(link)
    return file.getvalue().rstrip(b"\0") + bytes(2 * tarfile.BLOCKSIZE)


def parquet_images() -> Iterator[bytes]:
    """Yield images in records and as plain bytes, with class names, in several row groups, and only named."""
    jpeg = encoded(checker(16), "JPEG")
    features = b'{"info": {"features": {"label": {"names": ["x", "y"], "_type": "ClassLabel"}}}}'
    cells = [{"bytes": jpeg, "path": "a.jpg"}, {"bytes": None, "path": None}]
    table = pa.table({"image": cells, "label": [1, -1], "race": ["A", None], "age": [23.5, 1.0]})
    for compression in ("none", "snappy"):
        yield _parquet(table.replace_schema_metadata({"huggingface": features}), compression)
    yield _parquet(pa.table({"img": [jpeg, b""], "gender": ["m", "f"]}), "zstd")
    named = pa.array([{"bytes": None, "path": "faces.parquet"}] * 2, table["image"].type)
    yield _parquet(pa.table({"image": named, "label": ["x", "y"]}), "none")


def _parquet(table: Any, compression: str) -> bytes:  # noqa: ANN401 - pyarrow ships no types
    file = io.BytesIO()
    pq.write_table(table, file, compression=compression, row_group_size=1)
    return file.getvalue()


def pixel_tables() -> Iterator[bytes]:
    """Yield tables with pictures of two by two pixels."""
    yield b"emotion,pixels,Usage\n3,0 1 2 255,Training\n6,9 9 9 9,PublicTest\n"
    yield b'\xef\xbb\xbfUsage,emotion,pixels\r\nTraining,0,"7"\r\n\r\nx,9,"1 2 3"\r\n,,\r\n'


def lists() -> Iterator[bytes]:
    """Yield a good list of every known set, in the order of `LISTS`."""
    adience = "user_id\toriginal_image\tface_id\tage\tgender\nu\ta.jpg\t1\t(25, 32)\tf\nv\tb.jpg\t2\t35\tm\n"
    votes = ",".join(
        ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    )
    ferplus = (
        f"Usage,Image name,{votes},unknown,NF\n"
        "Training,a.png,8,0,0,0,0,0,0,1,1,0\nPrivateTest,b.png,3,3,0,0,0,0,0,0,1,3\n"
    )
    texts = (
        "train_1.jpg 5\ntest_2.jpg 7\n",
        "".join(f"{x}.5 {x}.25\n" for x in range(5)) + "1\n2\n3\n",
        "2\nMale Young Smiling Bald\n1.jpg  1 -1  1 -1\n2.jpg -1  1 -1  1\n",
        "1.jpg 0\n2.jpg 2\n",
        "a.jpg 0 1 1 9 9 88.5 3\na.jpg 1 2 3 9 9 10 6\nb.jpg 0 0 0 5 5 1 0\n",
        adience,
        "1/a.jpg,1,1,2,2,1;2,0,.1,-.2\n2/b.jpg,1,1,2,2,1;2,9,-2,-2\n",
        '{"file_name": "a.jpg", "race": "A"}\n{"file_name": "b.jpg", "age": 3}\n',
        "file_name,race\na.jpg,A\nb.jpg,\n",
        ferplus,
        "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,East Asian,True\n"
        "train/2.jpg,more than 70,Female,Indian,False\n",
    )
    for index, (text, _) in enumerate(zip(texts, LISTS, strict=True)):
        yield bytes([index]) + text.encode()
