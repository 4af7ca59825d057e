"""What a run must not give away: no metadata of a photograph, no place, no user, no machine, and nothing to other users."""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from pyarrow import parquet

from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline.purge import REASON
from fer_audit.pipeline.run_folder import DONE
from fer_audit.report.charts.theme import FileKind, save_charts
from fer_audit.report.files.document import read_result
from fer_audit.report.files.pictures import read_pictures
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from fer_audit.store.locks import LOCK
from fer_audit.store.stage import file_sha256
from tests.drawings import draw_face, utkface_name
from tests.encoders.networks import narrow_spec, random_layers
from tests.faults.conftest import QUICK, clean_environment, command
from tests.faults.modes import open_to_others
from tests.faults.traces import need

WORD = "Sentinel7x"
"""Stands in every place that a run could copy from; long enough never to come up by chance."""

FACES = 130

_ARTIST, _COPYRIGHT, _DESCRIPTION, _SOFTWARE, _HOST, _AUTHOR = 315, 33432, 270, 305, 316, 40093
_EXIF_IFD, _OWNER, _SERIAL, _COMMENT = 34665, 42032, 42033, 37510
_GPS_IFD, _LATITUDE_REF, _LATITUDE, _AREA = 34853, 1, 2, 28


def exif() -> Image.Exif:
    """Return what a telling camera and its owner write into a photograph."""
    found = Image.Exif()
    for tag in (_ARTIST, _COPYRIGHT, _DESCRIPTION, _SOFTWARE, _HOST):
        found[tag] = f"{WORD} {tag}"
    found[_AUTHOR] = f"{WORD} author".encode("utf-16-le")
    within = found.get_ifd(_EXIF_IFD)
    within |= {_OWNER: f"{WORD} owner", _SERIAL: f"{WORD} serial"}
    within[_COMMENT] = b"ASCII\0\0\0" + f"{WORD} comment".encode()
    place = found.get_ifd(_GPS_IFD)
    place |= {_LATITUDE_REF: "N", _LATITUDE: (48.0, 12.0, 30.0), _AREA: WORD.encode()}
    return found


def write_telling(folder: Path, number: int) -> None:
    """Write one drawn face with EXIF, GPS, XMP, IPTC, a comment and a colour profile, all of which name somebody."""
    image, path = draw_face(number), folder / utkface_name(number)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"sRGB built-in", WORD.encode().ljust(13, b" "))
    if number % 10 == 9:
        from PIL.PngImagePlugin import PngInfo

        notes = PngInfo()
        notes.add_text("Author", f"{WORD} png")
        image.save(path.with_suffix(".png"), exif=exif(), pnginfo=notes, icc_profile=profile)
        return
    buffer = io.BytesIO()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><creator>{WORD}</creator></x:xmpmeta>".encode()
    image.save(
        buffer,
        "JPEG",
        quality=90,
        exif=exif(),
        xmp=xmp,
        comment=f"{WORD} jpeg".encode(),
        icc_profile=profile,
    )
    by_line = f"{WORD} iptc".encode()
    record = b"\x1c\x02\x50" + len(by_line).to_bytes(2) + by_line
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(record).to_bytes(4) + record
    block += b"\0" * (len(record) % 2)
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2) + block
    data = buffer.getvalue()
    path.write_bytes(data[:2] + app13 + data[2:])


@dataclass(frozen=True)
class Telling:
    """A machine and a user that carry the word in every name, and all that a few verbs left behind there."""

    folder: Path
    out: str
    """Everything on stdout."""
    host_named: bool
    """Whether the machine itself could be given a name."""

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "first"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def told(self) -> Path:
        """Where the card, the comparison and the models lie."""
        return self.folder / "told"


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Telling:
    """Run everything that writes a file, under umask 000, where every name is telling."""
    folder = tmp_path_factory.mktemp("p") / f"{WORD}-owner"
    for name in ("home", "here", "told", "set/faces", "own"):
        (folder / name).mkdir(parents=True)
    for number in range(FACES):
        write_telling(folder / "set" / "faces", number)
    assert WORD.encode() in next((folder / "set" / "faces").iterdir()).read_bytes()
    model = folder / "own" / "tiny.onnx"  # a model's own file name is told, where it lies is not
    for suffix in (".onnx", ".json"):
        shutil.copy(tiny_model.path.with_suffix(suffix), model.with_suffix(suffix))
    spec = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 255)
    narrow = folder / "own" / "narrow.onnx"
    save_model(build_resnet50(random_layers(), spec), spec, "fp32", narrow)
    faces, first, told = (folder / name for name in ("set/faces", "runs/first", "told"))
    cache = ("--cache-dir", folder / "cache")
    shown = ("--thumbnails", "2", "--csv")
    quantized = folder / "runs" / "int8"
    int8 = ("--precision", "int8", "--models-dir", told / "models", "--first", "64")
    verbs: list[tuple[str | Path, ...]] = [
        ("run", faces, "--model", model, *cache, "--out", first, *QUICK, *shown),
        ("embed", faces, "--model", narrow, *cache, "--out", quantized, *int8),
        ("report", first, "--json"),
        ("compare", first, first, "--json", "--page", told / "compared.html"),
        ("card", first, "--out", told / "card.md"),
        ("card", first, "--format", "croissant"),
    ]
    lines = [shlex.join(command(*verb)) for verb in verbs]
    named = ["unshare", "--uts", "--map-root-user"]
    naming = f"hostname {WORD}-host"
    can_name = shutil.which("unshare") is not None and shutil.which("hostname") is not None
    if can_name:
        trial = [*named, "sh", "-c", naming]
        can_name = not subprocess.run(trial, capture_output=True, check=False).returncode
    script = " && ".join(["umask 000", *([naming] if can_name else []), *lines])
    names = {"USER": WORD, "LOGNAME": WORD, "HOSTNAME": f"{WORD}-host", "FULLNAME": WORD}
    done = subprocess.run(
        [*(named if can_name else []), "sh", "-c", script],
        cwd=folder / "here",
        env=clean_environment(**names, HOME=str(folder / "home"), XDG_CACHE_HOME=""),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Telling(folder, done.stdout, can_name)


_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


def embedded(data: bytes) -> Iterator[bytes]:
    """Yield what base64 hides in a page or a document."""
    for match in _BASE64.finditer(data):
        try:
            yield base64.b64decode(match[0], validate=True)
        except binascii.Error:
            continue


_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def tells(data: bytes) -> bool:
    """Whether the word stands in some bytes, in any case and as 8, 16 or 32 bits a character."""
    low = data.lower()
    return any(WORD.lower().encode(code) in low for code in _ENCODINGS)


def readable(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and what its compression or its base64 hides."""
    data = path.read_bytes()
    yield data
    if path.suffix == ".parquet":
        with parquet.ParquetFile(path) as file:
            yield repr(file.read().to_pydict()).encode()
            yield f"{file.schema_arrow.metadata} {file.metadata} {file.schema_arrow}".encode()
    elif path.suffix in (".html", ".json", ".svg"):
        yield from embedded(data)


def artefacts(telling: Telling) -> list[Path]:
    """Return every file in the run directories, the cache, and where exports were told to go."""
    places = (telling.folder / "runs", telling.cache, telling.told)
    return [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]


@pytest.mark.core
def test_no_artefact_tells_a_photographer_a_place_a_user_or_a_machine(telling: Telling) -> None:
    """EXIF, GPS, XMP, IPTC, comments and profiles of the photographs; home, user, host and folder names."""
    found = artefacts(telling)
    kinds = {path.suffix for path in found}
    assert kinds >= {*(".json", ".html", ".parquet", ".csv", ".npy", ".md", ".onnx")}

    assert [path for path in found if any(map(tells, readable(path)))] == []
    assert [
        line for line in telling.out.splitlines() if WORD in line and not _own_answer(line)
    ] == []
    if not telling.host_named:
        pytest.skip("unshare cannot give the machine another name here; all but that was searched")


def _own_answer(line: str) -> bool:
    """`embed` and `audit` print where they wrote, `run` and `report` where the page is, and that only: it is what they were told."""
    answers = (
        r"/\S+/(embeddings\.npy|result\.json)",
        r"  Page: /\S+/report\.html",
        r"  More: fer-audit report /\S+ --full",
    )
    return any(re.fullmatch(each, line) for each in answers)


def test_the_search_would_find_the_word_wherever_it_hides(tmp_path: Path) -> None:
    """The control of the test above."""
    import numpy as np
    import pyarrow as pa

    hidden = base64.b64encode(b"#" * 60 + WORD.encode() + b"#" * 60).decode()
    (tmp_path / "a.html").write_text(f"<img src='data:image/webp;base64,{hidden}'>")
    (tmp_path / "b.json").write_text(json.dumps({"webp": hidden}))
    parquet.write_table(
        pa.table({"id": ["x" * 50 + WORD] * 9}), tmp_path / "c.parquet", compression="zstd"
    )
    np.save(tmp_path / "d.npy", np.array([WORD]))
    (tmp_path / "e.txt").write_text(WORD.upper())

    for path in sorted(tmp_path.iterdir()):
        assert any(map(tells, readable(path))), path


_KINDS: tuple[FileKind, FileKind] = ("svg", "png")
_HOW_IT_IS_DRAWN = {"dpi", "transparency", "loop", "background", "duration", "timestamp"}
"""What Pillow tells of a picture that is about its pixels."""


def test_every_picture_is_drawn_anew_and_carries_nothing_beside_its_pixels(
    telling: Telling,
) -> None:
    pictures = []
    for path in (
        telling.run / "report.html",
        telling.run / "pictures.json",
        telling.told / "compared.html",
    ):
        for data in embedded(path.read_bytes()):
            if data[:4] == b"RIFF" or data[:4] == b"\x89PNG":
                pictures.append((path.name, Image.open(io.BytesIO(data))))
    formats = [image.format for _, image in pictures]

    assert formats.count("WEBP") >= 12
    assert formats.count("PNG") >= 3, "the maps"
    for name, image in pictures:
        image.load()
        assert not image.getexif(), name
        assert set(image.info) <= _HOW_IT_IS_DRAWN, (name, image.info)


def test_a_chart_as_a_file_says_neither_when_nor_by_what_it_was_drawn(
    telling: Telling, tmp_path: Path
) -> None:
    """A date would also make the same chart another file."""
    result = read_result(telling.run / "result.json")
    pictures = read_pictures(telling.run / "pictures.json")
    charts = charts_of(make_report(View(result, pictures)))
    some = [charts[0], next(chart for chart in charts if chart.key.startswith("map"))]

    svg, png = (save_charts(some, tmp_path / kind, kind) for kind in _KINDS)

    for path in svg:
        assert not re.search(r"<dc:(?:date|creator)", path.read_text()), path
    for path in png:
        image = Image.open(io.BytesIO(path.read_bytes()))
        image.load()
        assert set(image.info) <= _HOW_IT_IS_DRAWN, image.info
        assert b"tIME" not in path.read_bytes()
    assert [path for path in (*svg, *png) if any(map(tells, readable(path)))] == []
    assert open_to_others(tmp_path / "svg") == open_to_others(tmp_path / "png") == []


def test_everything_is_private_to_the_user_even_under_umask_000(telling: Telling) -> None:
    """Locks, models and cards too. The folders `runs` and `told` are the user's own."""
    own = {telling.folder / "told"}

    for place in (telling.folder / "runs", telling.cache, telling.told):
        assert [path for path in open_to_others(place) if path not in own] == [], place
    assert list(telling.told.glob("models/*int8*.onnx")), "the int8 model was made"
    assert (telling.run / LOCK).exists()


@pytest.fixture
def purgeable(telling: Telling, tmp_path: Path) -> Telling:
    """Give a copy of the first run and the cache, with the two names of its vectors."""
    copy = Telling(tmp_path, "", host_named=False)
    shutil.copytree(telling.run, copy.run)
    shutil.copytree(telling.cache, copy.cache)
    own = copy.run / "embeddings.npy"
    kept = next(
        path
        for path in copy.cache.glob("embed/*/vectors.vectors.npy")
        if path.read_bytes() == own.read_bytes()
    )
    own.unlink()
    os.link(kept, own)
    return copy


def left(place: Telling) -> dict[str, bytes]:
    """Return what lies in the run and in the stage folders, but for locks."""
    return {
        str(path.relative_to(place.folder)): path.read_bytes()
        for top in (place.run, *(place.cache / name for name in ("pack", "embed", "cluster")))
        for path in sorted(top.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


def is_whole(run: Path) -> bool:
    """Whether a run passes for finished: every file that its mark names is there, as it was."""
    files = json.loads((run / DONE).read_text())["files"]
    return all(
        (run / name).is_file() and file_sha256(run / name) == digest
        for name, digest in files.items()
    )


@pytest.mark.core
def test_a_purge_that_is_killed_leaves_no_whole_run_and_is_finished_by_the_next(
    purgeable: Telling, telling: Telling, tmp_path: Path
) -> None:
    """SIGKILL at the first file, in the middle, and before the page; with ALL at two more; one after another."""
    need("strace")
    words = command("purge", purgeable.run, "--cache-dir", purgeable.cache)
    env = clean_environment(
        HOME=str(tmp_path), MPLCONFIGDIR=str(telling.cache / "libraries/matplotlib")
    )
    before = left(purgeable)

    points = [("unlink", 1), ("unlink", 2), ("unlink", 12), ("rename", 1), ("rename", 2)]
    for calls, number in points if os.environ.get("ALL") else points[::2]:
        killer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}"]
        killer += ["-e", f"inject={calls}:signal=KILL:when={number}"]
        done = subprocess.run([*killer, *words], env=env, capture_output=True, check=False)
        assert done.returncode not in (0, 3), (calls, number, done.stderr)

        now = left(purgeable)
        untouched = now == before
        assert untouched is ((calls, number) == ("unlink", 1)), (
            "each kill came later than the one before"
        )
        assert untouched or not is_whole(purgeable.run), (calls, number)

    done = subprocess.run([*words, "--json"], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path).encode() not in done.stdout, (
        "what was removed is told by its place in the run or the cache"
    )
    now = left(purgeable)
    gone = {name for name in before if name not in now}
    changed = {name for name, data in now.items() if data != before[name]}
    assert changed == {"runs/first/pictures.json", "runs/first/report.html"}
    own = (purgeable.run / DONE).read_bytes()
    assert gone == {name for name in before if _is_purged(name, own)}
    assert not is_whole(purgeable.run)
    assert not any(b"data:image/webp" in data for data in now.values())
    assert REASON in (purgeable.run / "report.html").read_text()
    assert open_to_others(purgeable.run) == []


def _is_purged(name: str, done: bytes) -> bool:
    """Whether a purge removes a file: the vectors, and what lies in a folder that DONE.json names."""
    parts = Path(name).parts
    return parts[-1] == "embeddings.npy" or (parts[0] == "cache" and parts[2].encode() in done)


def test_a_killed_purge_of_an_unfinished_run_is_finished_by_the_next(
    purgeable: Telling, tmp_path: Path
) -> None:
    """Only STARTED.json names its folders of the cache, and it stays."""
    need("strace")
    prints = json.loads((purgeable.run / DONE).read_text())["fingerprints"]
    own = {prints[stage][:32] for stage in ("pack", "embed", "cluster")}
    for name in (DONE, "report.html", "pictures.json", "result.json"):
        (purgeable.run / name).unlink()
    others = {
        name: data for name, data in left(purgeable).items() if not own & set(Path(name).parts)
    }
    others = {name: data for name, data in others.items() if name.startswith("cache")}
    assert others, "those of the int8 run"
    words = command("purge", purgeable.run, "--cache-dir", purgeable.cache, "--rows")
    env = clean_environment(HOME=str(tmp_path))

    for number in (4, 7, 9) if os.environ.get("ALL") else (4, 9):
        killer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=unlink"]
        killer += ["-e", f"inject=unlink:signal=KILL:when={number}"]
        done = subprocess.run([*killer, *words], env=env, capture_output=True, check=False)
        assert done.returncode not in (0, 3), (number, done.stderr)
    done = subprocess.run(words, env=env, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert {
        name: data
        for name, data in left(purgeable).items()
        if "timings" not in name and "STARTED" not in name
    } == others
