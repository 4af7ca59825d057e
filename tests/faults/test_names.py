"""Names that are code somewhere: in HTML, a spreadsheet, a template, a terminal, markdown or a shell."""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.document import read_result
from fer_audit.text import encodable, visible
from tests.drawings import draw_face
from tests.faults.conftest import QUICK
from tests.faults.crowd import Crowd, Ended
from tests.report import pages
from tests.report.markup import read_markup

FILES = (
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{FIRE}.jpg",
    "\u202egpj.exe.jpg",
    "\u2066isolate.jpg",
    "line\nbreak.jpg",
    "\nfer-audit: all is well.jpg",
    "carriage\rreturn.jpg",
    "tab\tstop.jpg",
    "null\x01\x7f\x9b31m.jpg",
    os.fsdecode(b"bytes\xff\xfe.jpg"),
    "=cmd('calc')!A1.jpg",
    "+1+1.jpg",
    "@SUM(A1).jpg",
    "\uff1d1+1.jpg",
    " =1+1.jpg",
    '"><script>alert(1)<\\script>.jpg',
    "<img src=x onerror=alert(1)>.jpg",
    "{{7*7}}{% raw %}.jpg",
    "\x1b[31mred\x1b[0m.jpg",
    "\x1b]8;;http:example.invalid\x07link.jpg",
    "\x1b]0;title\x07.jpg",
    "[bold]bold[\\bold].jpg",
    "[link=http:example.invalid]click.jpg",
    "[red",
    f"{'n' * 251}.jpg",
    "-rf.jpg",
    "--help.jpg",
    "%s%n%(x)d{0}.jpg",
    "a'b\"c`d,e;f|g&h.jpg",
    "$(touch pwned).jpg",
    "`touch pwned`.jpg",
    "$\\frac{x_1.jpg",
    "\u2028separator\ufeff.jpg",
    " .jpg",
    "nbsp\u00a0.jpg",
)
"""File names; one has no suffix and is made an image by the suffix it gets."""
FOLDERS = ("=HYPERLINK(1)", "sad\x1b[5m[red]", '"><script>alert(1)', os.fsdecode(b"\xff{{7}}"))
"""Class folders: the groups of an attribute."""
NAME = "set \x1b[31m\n[bold]\u202e"
"""Of folders of a set and of runs."""
CARD = {
    "label_source": "<script>alert(1)</script> \x1b[31m [bold]x[/bold] \u202e",
    "notes": ["=cmd() <b>bold</b>\r\nfer-audit: done", "[link=http://example.invalid]x[/link]"],
}


@dataclass(frozen=True)
class Hostile:
    """Two audited sets full of such names, and everything that was said about them."""

    home: Path
    folders: Path
    """The run on class folders."""
    table: Path
    """The run on a table, whose columns and cells are such names, too."""
    said: dict[str, Ended]
    wrong: list[Ended]
    """Calls that name what is not there or cannot be."""


def suffixed(name: str) -> str:
    return name if name.endswith(".jpg") else f"{name}.jpg"


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel, crowd: Crowd
) -> Iterator[Hostile]:
    """Audit both sets and show the runs in every way there is."""
    home = tmp_path_factory.mktemp("names")
    here = home / "here"
    here.mkdir()
    for number, name in enumerate(FILES):
        folder = home / NAME / FOLDERS[number % len(FOLDERS)]
        folder.mkdir(parents=True, exist_ok=True)
        draw_face(number).save(folder / suffixed(name), "JPEG", quality=90)
    (home / NAME / "dataset.json").write_text(json.dumps(CARD), encoding="utf-8")
    labelled = pages.table(home / "table", pages.evil)
    options = ("--model", tiny_model.path, "--cache-dir", home / f"cache {NAME}", *QUICK)
    folders, table = home / f"first {NAME}", home / f"second {NAME}"
    # NAME=COLUMN is cut at the first =
    first, second = [
        (f"{name.replace('=', '-')}", name) for name, _ in labelled.config.dataset.group
    ]
    label = labelled.config.dataset.label[0][0]
    columns = ("--group", "=".join(first), "--group", "=".join(second), "--label", f"x={label}")
    evil, undecodable = f"{NAME}\r\x9b[/]", os.fsdecode(b"\xff\x1b[31m")
    calls: dict[str, tuple[str | Path, ...]] = {
        "run": ("run", home / NAME, "--out", folders, "--csv", *options),
        "table": (
            *("run", labelled.source, "--out", table, "--csv", *columns, *options),
            *("--fail-on", f"{second[0]}.max_share>0"),
        ),
        "report": ("report", folders, "--full"),
        "short": ("report", folders),
        "json": ("report", table, "--json"),
        "compare": ("compare", folders, table, "--page", home / f"{NAME}.html"),
        "card": ("card", folders),
        "croissant": ("card", table, "--format", "croissant"),
        "again": ("embed", home / NAME, *options[:4]),
        "doctor": ("doctor", *options[2:4], "--models-dir", home / NAME),
        "models": ("models", "--models-dir", home / evil),
        "purge": ("purge", folders, *options[2:4], "--dry-run"),
    }
    wrong: tuple[tuple[str | Path, ...], ...] = (
        ("run", home / evil),
        ("run", home / undecodable),
        ("run", home / NAME, "--model", f"{evil}.onnx"),
        ("run", home / NAME, "--group", f"{evil}={evil}"),
        ("run", home / NAME, "--k", evil),
        ("run", home / NAME, "--out", home / NAME / FOLDERS[0] / evil),
        ("run", labelled.source, "--path-column", evil),
        ("report", home / undecodable),
        ("compare", home / evil, home / undecodable),
        ("compare", folders, table, "--page", home / NAME),
        ("card", home / evil),
        (evil,),
        ("run", f"--{evil}"),
        ("report", "--png", home / f"{NAME}.html", folders),
    )
    said = {name: crowd.run(*words, here=here) for name, words in calls.items()}
    yield Hostile(home, folders, table, said, [crowd.run(*words, here=here) for words in wrong])
    assert not list(home.rglob("pwned*"))


def unshown(text: str) -> Counter[str]:
    """Return what a terminal would obey, or a person could not see; a line may end."""
    bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return Counter(repr(c) for c in text if c != "\n" and unicodedata.category(c) in bad)


def test_everything_is_processed_and_round_trips_through_parquet(hostile: Hostile) -> None:
    assert {name: said.code for name, said in hostile.said.items() if said.code} == {"table": 1}

    table = parquet.read_table(hostile.folders / "rows.parquet")

    wanted = {f"{FOLDERS[i % len(FOLDERS)]}/{suffixed(name)}" for i, name in enumerate(FILES)}
    assert sorted(table["id"].to_pylist()) == sorted(map(encodable, wanted))
    assert table["ok"].to_pylist() == [True] * len(FILES)


def test_twins_of_two_normal_forms_are_two_files(hostile: Hostile) -> None:
    ids = parquet.read_table(hostile.folders / "rows.parquet")["id"].to_pylist()

    twins = [name for name in ids if unicodedata.normalize("NFC", name).endswith("/caf\u00e9.jpg")]

    assert len(set(twins)) == 2


def test_groups_round_trip_through_json(hostile: Hostile) -> None:
    result = read_result(hostile.folders / "result.json")

    groups = {group.name for each in result.representation for group in each.groups}

    assert groups == set(map(encodable, FOLDERS))
    shown = json.loads(hostile.said["json"].out)
    assert shown == json.loads((hostile.table / "result.json").read_text(encoding="utf-8"))


def test_no_word_to_a_terminal_is_obeyed_by_it(hostile: Hostile) -> None:
    said = {name: each.text for name, each in hostile.said.items() if name != "again"}

    assert {name: bad for name, text in said.items() if (bad := unshown(text))} == {}
    claims = re.compile("^fer-audit: (?:all is well|done)", re.MULTILINE)
    assert [name for name, text in said.items() if claims.search(text)] == []


def test_a_path_for_a_program_is_the_path_byte_for_byte(hostile: Hostile) -> None:
    """`head -c 99 "$(fer-audit embed ...)"` has to find it; the folder nobody chose has a tame name."""
    path = hostile.said["again"].out.removesuffix("\n")

    assert (hostile.home / "here" / path).is_file()
    assert re.fullmatch(r"runs/[\w.-]+/embeddings\.npy", path)


@pytest.mark.parametrize("page", ["folders", "table", "compare"])
def test_no_name_becomes_a_node_of_a_page(page: str, hostile: Hostile) -> None:
    paths = {
        "folders": hostile.folders / "report.html",
        "table": hostile.table / "report.html",
        "compare": hostile.home / f"{NAME}.html",
    }
    source = paths[page].read_text(encoding="utf-8")

    markup = read_markup(source)

    handlers = [n for each in markup.elements for n in each.attributes if n.startswith("on")]
    assert handlers == []
    assert markup.all("iframe", "object", "base", "link", "form", "embed") == []
    assert [e for e in markup.all("img") if not e["src"].startswith("data:image/")] == []
    assert [e for e in markup.all("script") if "alert" in e.text or not e.get("nonce")] == []
    assert [e for e in markup.all("a") if "invalid" in e.get("href")] == []
    assert pages.RAW.findall(source) == []


def test_groups_and_the_owners_words_are_read_on_the_page(hostile: Hostile) -> None:
    text = read_markup((hostile.folders / "report.html").read_text(encoding="utf-8")).text

    flat = " ".join(text.split())
    for words in (*FOLDERS, CARD["label_source"], *CARD["notes"]):
        assert " ".join(visible(str(words)).split()) in flat


@pytest.mark.parametrize("run", ["folders", "table"])
def test_no_cell_of_the_csv_is_a_formula(run: str, hostile: Hostile) -> None:
    """Nor the first cell of a line that a reader without quotes would see."""
    folder: Path = getattr(hostile, run)
    path = folder / "rows.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    numbers = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")

    cells = [cell for row in rows for cell in row if not numbers.fullmatch(cell)]

    assert len(rows) == 1 + parquet.read_metadata(folder / "rows.parquet").num_rows
    assert [cell for cell in cells if re.match(r"\s*[=+\-@\t\r＝＋－＠]", cell)] == []
    assert len({len(row) for row in rows}) == 1


def test_the_card_holds_no_markup_of_a_strangers(hostile: Hostile) -> None:
    """Every < [ { ` $ and | that came from a name has its backslash; the comments and the fence are the card's own."""
    markdown = hostile.said["card"].out
    own = re.compile(r"^\||\|$| \| ")  # the table's own bars

    bare = [
        line
        for line in markdown.splitlines()
        if not line.startswith(("<!-- fer-audit card: ", "```"))
        and re.search(r"(?<!\\)(?:\\\\)*[<\[{`$|]", own.sub(" ", line))
    ]

    assert "script" in markdown
    assert bare == []


SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_colour_terminal_gets_colours_of_ours_only(hostile: Hostile, crowd: Crowd) -> None:
    """On a real terminal rich writes colours: they are the only sequences, and no name is its markup."""
    shown = crowd.show(
        "report", hostile.folders, "--full", columns=120, env={"TERM": "xterm-256color"}
    )
    text = shown.replace("\r\n", "\n")

    assert SGR.search(text), "no colours: nothing was tried"
    assert unshown(SGR.sub("", text)) == {}
    assert "[bold]x[/bold]" in SGR.sub("", text)
    assert "[link=http" in SGR.sub("", text)


def test_no_error_message_passes_a_name_on(hostile: Hostile) -> None:
    """Errors of ours and of click's repeat what they were given."""
    said = hostile.wrong

    assert [(each.words, each.code) for each in said if each.code not in (2, 3)] == []
    assert [(each.words, bad) for each in said if (bad := unshown(each.text))] == []
