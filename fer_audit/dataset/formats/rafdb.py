"""RAF-DB, basic: `list_patition_label.txt` (so spelt), and a small file of attributes for each image."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import base_name
from fer_audit.dataset.sources.source import read_small_file
from fer_audit.dataset.table.columns import Role, Roles
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.text import SPACES
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import FaceDataset, Kind
from fer_audit.text import encodable

LABEL_SOURCE = "Expressions are what most of about forty annotators said; gender, race and age group were labelled by hand (Li and Deng 2019)."
AGE_GROUPS = ("0-3", "4-19", "20-39", "40-69", "70+")
_LIST = r"list_pa(r)?tition_label\.txt"
_CODES = (("expression", "raf-db"), ("gender", "raf-db"), ("race", "raf-db"))
_MAX_BYTES = 1_000
"""Of a file of attributes: five points and three digits."""


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with the list."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_LIST) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the list; the first label of a line counts, and the name says which part it is in."""
    table = given.label_files(_LIST, settings)[0]
    file = open_table(given.root / table, delimiter=SPACES, header=False, at_least=2)
    rows = file.read(file.columns[:2])
    names = rows.columns["1"]
    attributes = {
        base_name(each).lower().removesuffix("_manu_attri.txt"): each
        for each in given.listing.named(r".*_manu_attri\.txt")
    }
    stems = [word.rpartition(".")[0].lower() for word in names.words]
    said = [_attributes(given, attributes.get(stem, "")) for stem in stems]
    people = {
        name: _by_word(names, [each[i] for each in said])
        for i, name in enumerate(("gender", "race", "age"))
    }
    people["age"] = people["age"].mapped(
        lambda code: AGE_GROUPS[int(code)] if code in {"0", "1", "2", "3", "4"} else code
    )
    split = names.mapped(lambda word: word.partition("_")[0] if "_" in word else None)
    columns = {"image": names, "expression": rows.columns["2"], "split": split, **people}
    kinds: tuple[tuple[str, Kind], ...] = (
        ("gender", "demographic"),
        ("race", "demographic"),
        ("expression", "label"),
    )
    roles = Roles(
        "image",
        (
            *(Role(name, name, kind, asked=False) for name, kind in kinds),
            Role("split", "split", "split", asked=False),
        ),
        Role("age_bin", "age", "demographic", asked=False),
        (),
    )
    return dataset_of_rows(
        given,
        replace(settings, names=(*settings.names, *_CODES)),
        replace(rows, columns=columns),
        roles,
        table=encodable(table),
        label_source=LABEL_SOURCE,
        endings=("_aligned",),
        read=(table, *attributes.values()),
    )


def _attributes(given: DatasetPath, path: str) -> tuple[str | None, str | None, str | None]:
    """Return the codes of gender, race and age group in a file: the last three numbers behind five points."""
    data = read_small_file(str(given.root / path), limit=_MAX_BYTES) if path else None
    words = [] if data is None else data.decode("utf-8", "replace").split()
    return (words[-3], words[-2], words[-1]) if len(words) == 13 else (None, None, None)


def _by_word(names: Words, codes: list[str | None]) -> Words:
    """Return a column that says the same of every row with the same name."""
    of_word = Words.of(codes)
    return replace(of_word, codes=of_word.codes[names.codes])
