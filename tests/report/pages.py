"""Runs whose page is worth a look: one that has every section, and two of equal shape, one of them hostile."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import run_audit
from fer_audit.synth.folder import write_demo
from fer_audit.text import clipped, visible
from tests.drawings import draw_face

PAGE = "report.html"

EVIL = (
    '"><script>alert(1)</script>',
    "{{7*7}}",
    "<img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)",
    "]]>",
    "&lt;b&gt;&#60;i&#62;",
    "\u202eright to left\u2066",
    "\x1b[31mred\x1b]8;;http://example.invalid\x07",
    "two\nlines",
    "long " * 60,
    "\N{GRINNING FACE}\N{EMOJI MODIFIER FITZPATRICK TYPE-5}",
    "</svg></text><script>alert(1)</script>",
    "$\\frac{x_1",
    "<!-- ",
    "{% raw %}{# ",
    '" style="position:fixed" onfocus="alert(1)" autofocus="',
    "</title></textarea><svg onload=alert(1)>",
)
"""Names that would be code in HTML, SVG, CSS, Jinja, TeX or a terminal, if somebody forgot to escape them."""

RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a page must show as an escape: they move, turn or hide text."""

PER_GROUP = 4
SHOWN_AT_LEAST = 12
"""Characters of a name that a page shows, however little room there is."""

Naming = Callable[[str], str]


def evil(name: str) -> str:
    """Return the name as it is."""
    return name


def harmless(name: str) -> str:
    """Return a name of the same length as the page shows, of the same words, without any meaning."""
    return re.sub("[^ ]", "x", visible(name))


@dataclass(frozen=True)
class Labelled:
    """A set on disk, and every name that its page must show."""

    source: Path
    names: tuple[str, ...]
    """Of attributes and of their groups."""
    config: AuditConfig


def class_folders(root: Path, naming: Naming) -> Labelled:
    """Write faces into two levels of folders with such names, plus a copy and a broken file."""
    data = root / _file("set", EVIL[0], naming)
    classes = [_file(letter, word, naming) for letter, word in _lettered(EVIL[1:10])]
    crawls = [_file(letter, word, naming) for letter, word in _lettered(EVIL[12:14])]
    for number in range(PER_GROUP * len(classes)):
        word = EVIL[number % len(EVIL)]
        folder = data / crawls[number % 2] / classes[number // PER_GROUP]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_file(f'{number:03d}', word, naming)}.jpg"
        draw_face(number).save(path, quality=90)
        if number == 0:
            (folder / f"copy of {path.name}").write_bytes(path.read_bytes())
            (folder / f"broken {path.name}").write_bytes(b"no picture")
    return Labelled(data, (*classes, *crawls), AuditConfig())


def table(root: Path, naming: Naming) -> Labelled:
    """Write faces and a table: three columns of such names that hold such words."""
    data = root / "set"
    data.mkdir(parents=True)
    columns = [
        f"{letter} {naming(word)}".replace("\n", " ") for letter, word in _lettered(EVIL[:3])
    ]
    groups = [
        [f"{letter} {naming(word)}".strip() for letter, word in _lettered(EVIL[at : at + 6])]
        for at in (0, 6, 12)
    ]
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerow(["path", *columns])
    for number in range(2 * PER_GROUP * 6):
        draw_face(number).save(data / f"{number:03d}.jpg", quality=90)
        words = [groups[0][number % 6], groups[1][number // 2 % 6], groups[2][number // 6 % 6]]
        writer.writerow([f"{number:03d}.jpg", *words])
    labels = data / "labels.csv"
    labels.write_text(written.getvalue(), encoding="utf-8", newline="")
    first, second, third = columns
    config = AuditConfig.of(
        group=((first, first), (second, second)),
        label=((third, third),),
        given=((second,),),
        fail_on=(f"{second}.v_corrected>0.9",),
    )
    return Labelled(labels, (*columns, *(word for words in groups for word in words)), config)


def write_page(
    labelled: Labelled, folder: Path, model: ExportedModel, *, permutations: int = 40
) -> Path:
    """Audit a small set with every section that costs little, and return the path of its page."""
    config = labelled.config.having(
        model=str(model.path),
        k=3,
        starts=2,
        sweep_max=4,
        permutations=permutations,
        bootstraps=20,
        replay=4,
        replay_size=30,
        recluster=3,
    )
    resources = Resources(cache_dir=folder / "cache", max_errors=1.0)
    return (
        run_audit(labelled.source, folder / "run", config=config, resources=resources).folder
        / PAGE
    )


def demo_page(folder: Path, model: ExportedModel) -> Path:
    """Audit the first 240 faces of the demo set and return the path of the page."""
    write_demo(folder / "demo", 240)
    rules = ("gender.v_corrected>0.9",)
    config = AuditConfig.of(
        given=(("session",),), fail_on=rules, permutations=999, bootstraps=200, replay=20
    )
    return write_page(Labelled(folder / "demo", (), config), folder, model)


def is_shown(name: str, text: str) -> bool:
    """Whether a text holds a name, in full or with its middle left out."""
    whole = visible(name)
    flat = " ".join(text.split())
    return any(
        " ".join(shown.split()) in flat
        for shown in (
            whole,
            *(clipped(name, limit) for limit in range(SHOWN_AT_LEAST, len(whole))),
        )
    )


def _lettered(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each word with a letter: it leads the name, so that both sets have one order."""
    return [("abcdefghijklmnopqr"[index], word) for index, word in enumerate(words)]


def _file(lead: str, word: str, naming: Naming) -> str:
    """Return a name that a file system takes: no slash, at most 200 bytes."""
    return f"{lead} {naming(word)}".replace("/", "\\")[:200].strip()
