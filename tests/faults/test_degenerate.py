"""Sets too small or too plain for a question: "not computable (reason)", no warning, no NaN, wherever one looks."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_face, draw_faces, utkface_name
from tests.faults.conftest import QUICK, SLOW
from tests.faults.crowd import Crowd, Ended
from tests.report.markup import read_markup

FULL = ("--replay", "3", "--replay-size", "20", "--recluster", "2")
"""What QUICK leaves out: every section is there, or says why not."""


def one_class(root: Path) -> Path:
    """One folder that is the only class."""
    (root / "happy").mkdir(parents=True)
    for number in range(12):
        draw_face(number).save(root / "happy" / f"{number}.jpg")
    return root


def one_image(root: Path) -> Path:
    return draw_faces(root, 1)


def two_images(root: Path) -> Path:
    """Fewer than the three clusters that are asked for."""
    return draw_faces(root, 2)


def small_groups(root: Path) -> Path:
    """No race, gender and age together more than once, two races of four images."""
    return draw_faces(root, 13)


def identical(root: Path) -> Path:
    """Thirty names for one picture: no variance at all."""
    root.mkdir()
    for number in range(30):
        draw_face(0).save(root / utkface_name(number), quality=90)
    return root


def nearly_identical(root: Path) -> Path:
    """Other bytes, the same pixels: no duplicate by its hash, and no variance."""
    identical(root)
    for number, path in enumerate(sorted(root.iterdir())):
        path.write_bytes(path.read_bytes() + b"\0" * number)
    return root


def unlabelled(root: Path) -> Path:
    root.mkdir()
    for number in range(12):
        draw_face(number).save(root / f"{number}.jpg")
    return root


def nobody_annotated(root: Path) -> Path:
    """UTKFace's names without a race, and of one age."""
    root.mkdir()
    for number in range(12):
        draw_face(number).save(root / f"30_0_{20170101100000000 + number}.jpg.chip.jpg")
    draw_face(12).save(root / "30_0_0_20170101100000000.jpg.chip.jpg")
    return root


def mostly_failed(root: Path) -> Path:
    """One image is left."""
    draw_faces(root, 12)
    for path in sorted(root.iterdir())[1:]:
        path.write_bytes(b"no picture")
    return root


def all_failed(root: Path) -> Path:
    draw_faces(root, 3)
    for number, path in enumerate(root.iterdir()):
        path.write_bytes(b"no picture" if number else b"")
    return root


AUDITED = (
    one_class,
    one_image,
    two_images,
    small_groups,
    identical,
    nobody_annotated,
    pytest.param(nearly_identical, marks=SLOW),
    pytest.param(unlabelled, marks=SLOW),
    pytest.param(mostly_failed, marks=SLOW),
)
EXIT: dict[Callable[[Path], Path], int] = {mostly_failed: 4}


@dataclass(frozen=True)
class Looked:
    """A finished run and everything it shows."""

    make: Callable[[Path], Path]
    ended: Ended
    out: Path
    shown: str
    """What `run` printed, and then the full report."""


@pytest.fixture(scope="module")
def audit(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel, crowd: Crowd
) -> Callable[[Callable[[Path], Path]], Looked]:
    """Give the audit of a set; it runs once."""
    home = tmp_path_factory.mktemp("degenerate")

    @functools.cache
    def looked(make: Callable[[Path], Path]) -> Looked:
        out = home / f"run-{make.__name__}"
        places = ("--model", tiny_model.path, "--cache-dir", home / "cache", "--out", out)
        ended = crowd.run("run", make(home / make.__name__), *places, *QUICK, *FULL)
        full = crowd.run("report", out, "--full").out if (out / "result.json").is_file() else ""
        return Looked(make, ended, out, ended.out + full)

    return looked


@pytest.fixture(params=AUDITED)
def looked(
    request: pytest.FixtureRequest, audit: Callable[[Callable[[Path], Path]], Looked]
) -> Looked:
    """Give one of the runs."""
    return audit(request.param)


def strings(node: Any) -> Iterator[str]:  # noqa: ANN401 - what JSON holds
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


NO_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:nan|inf|infinity)(?![\w-])", re.IGNORECASE)


def test_it_ends_well_and_warns_of_nothing(looked: Looked) -> None:
    assert looked.ended.code == EXIT.get(looked.make, 0), looked.ended.text
    assert re.findall("warning", looked.ended.err, re.IGNORECASE) == []


def test_no_number_is_nan_anywhere(looked: Looked) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"result.json holds {word}")

    text = (looked.out / "result.json").read_text(encoding="utf-8")
    document = json.loads(text, parse_constant=refuse)
    page = read_markup((looked.out / "report.html").read_text(encoding="utf-8"))
    pictures = (looked.out / "pictures.json").read_text(encoding="utf-8")

    nan = re.compile(r"(?<![\w.])[-+]?nan(?![\w-])", re.IGNORECASE)
    assert [word for word in strings(document) if nan.search(word)] == []
    assert nan.findall(looked.shown) == []
    assert nan.findall(page.text) == []
    attributes = [v for e in page.elements for k, v in e.attributes.items() if k != "d"]
    assert [value for value in attributes if NO_NUMBER.fullmatch(value.strip())] == []
    assert [e.get("d") for e in page.elements if nan.search(e.get("d"))] == []
    json.loads(pictures, parse_constant=refuse)


def test_what_has_no_value_says_why(looked: Looked) -> None:
    """Every null of a statistic stands beside a reason; the terminal and the page show it."""
    text = (looked.out / "result.json").read_text(encoding="utf-8")
    reasons = re.findall(r'"not_computable"|not computable|skipped', text)
    out = looked.shown

    assert reasons
    said = re.search("not computable|could not be computed", out)
    assert said or looked.make in {one_class, unlabelled}
    assert [line for line in out.splitlines() if re.search(r"not computable \(\s*\)", line)] == []


def test_a_set_of_which_nothing_is_left_is_no_audit(
    audit: Callable[[Callable[[Path], Path]], Looked],
) -> None:
    looked = audit(all_failed)

    assert looked.ended.code == 3
    assert "None of the 3 images" in looked.ended.text
    assert "format_not_allowed (2), empty (1)" in looked.ended.text
    assert not (looked.out / "result.json").exists()
    assert not (looked.out / "report.html").exists()
