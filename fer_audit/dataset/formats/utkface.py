"""UTKFace: the labels are in the file name, `[age]_[gender]_[race]_[yyyymmddHHMMSSmmm].jpg.chip.jpg`.

The photographs in the wild, in `part1/` to `part3/`, have the same names without `.chip.jpg`. Some archives hold the set
and, in a folder, the set again.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing, base_name, names_note
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.source import MAX_FILE_BYTES, READ_PLAIN
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.text import MAX_NAMED, counted, encodable, listed, name_some, whole


def drop_copies(listing: Listing) -> Listing:
    """Return the listing without files that repeat another one's name and bytes in a different folder, and a note.

    Of each set of copies the one with the shortest path stays, of equally short ones the first.
    Only files that share name and size are read, and none that is too large for a photograph.
    The same bytes under another name stay: those are two labels for one picture, which the audit reports.
    """
    same_name: defaultdict[str, list[int]] = defaultdict(list)
    for row, file_id in enumerate(listing.ids):
        same_name[base_name(file_id)].append(row)
    repeated = {name: rows for name, rows in same_name.items() if len(rows) > 1}
    copies: dict[int, int] = {}
    for rows in repeated.values():
        copies.update(_copies_among(listing, rows))
    differing = [name for name, rows in repeated.items() if sum(r not in copies for r in rows) > 1]
    notes = []
    if copies:
        copy, kept = min(copies.items())
        places = Counter(listing.ids[row].rpartition("/")[0] or "." for row in copies)
        where = [
            f'"{encodable(place)}" ({whole(n)})' for place, n in places.most_common(MAX_NAMED)
        ]
        more = [f"{whole(len(places) - len(where))} more"] if len(places) > len(where) else []
        notes.append(
            f"{counted(len(copies), 'file repeats', 'files repeat')} another one's name and bytes in a "
            f"different folder and {'was' if len(copies) == 1 else 'were'} left out: {listed([*where, *more])}; "
            f'for example "{encodable(listing.ids[copy])}", a copy of "{encodable(listing.ids[kept])}".'
        )
    rest = "in more than one folder with different bytes; every file is kept"
    notes += names_note(differing, "name occurs", "names occur", rest)
    rows_kept = np.array([row for row in range(len(listing.ids)) if row not in copies], np.intp)
    return replace(listing.take(rows_kept), notes=listing.notes + tuple(notes))


def _copies_among(listing: Listing, rows: list[int]) -> dict[int, int]:
    """Return {row of a copy: row of the file that stays} among files of one name."""
    by_size: defaultdict[int, list[int]] = defaultdict(list)
    raw = {row: os.fsencode(listing.ids[row]) for row in rows}
    for row in sorted(rows, key=lambda row: (len(raw[row]), raw[row])):
        by_size[int(listing.sizes[row])].append(row)
    copies: dict[int, int] = {}
    for size, candidates in by_size.items():
        if not 0 <= size <= MAX_FILE_BYTES or len(candidates) == 1:
            continue
        first: dict[str, int] = {}
        for row in candidates:
            digest = _digest(listing, row)
            if digest and first.setdefault(digest, row) != row:
                copies[row] = first[digest]
    return copies


def _digest(listing: Listing, row: int) -> str:
    """Return the sha256 of a file, "" when it cannot be read: then it is no copy."""
    try:
        with os.fdopen(os.open(listing.root / listing.ids[row], READ_PLAIN), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


RACES = tuple(CODES["race", "utkface"].values())
"""Code 4 is Hispanic, Latino and Middle Eastern."""
GENDERS = tuple(CODES["gender", "utkface"].values())
MAX_AGE = 116
"""Years: the upper end the set's README gives."""
CRAWL = {"crawl_day": 8, "crawl_hour": 10, "crawl_ten_minutes": 11, "crawl_minute": 12}
"""Batch attribute -> digits of yyyymmddHHMMSS that it keeps."""
MIN_SHARE = 0.1
"""Share of image names from which on a folder is taken for UTKFace."""
LABEL_SOURCE = "Age, gender and race were estimated by the DEX algorithm and checked by a person."

_STAMP_DIGITS = 17
_CHIP = ".chip.jpg"
_NAME = re.compile(
    r"([0-9]{1,3})_([01]|(?=_[0-4]_))_(?:([0-4])_)?([0-9]{16,18})( ?\.?j?pg)(?:\.chip\.jpg)?"
)
"""A name may lack the gender or the race, not both."""


class NameLabels(NamedTuple):
    """What one file name says."""

    age: int = -1
    """Years, -1 = not said."""
    gender: int = -1
    """Index into GENDERS."""
    race: int = -1
    """Index into RACES."""
    stamp: str | None = None
    """yyyymmddHHMMSS and milliseconds at which it was collected."""
    stamp_digits: int = _STAMP_DIGITS
    misspelt: bool = False
    """Whether the suffix is misspelt; every label is readable."""
    reasons: tuple[str, ...] = ()
    """Why labels are missing: name_not_utkface, gender_missing, race_missing, timestamp_invalid."""


def parse_name(name: str) -> NameLabels:
    """Return the labels in a file name (without folders). Nothing is guessed: what is not said is -1 or None."""
    found = _NAME.fullmatch(name)
    if found is None or int(found[1]) > MAX_AGE:
        return NameLabels(reasons=("name_not_utkface",))
    age, gender, race, stamp, suffix = found.groups()
    real = _is_real_hour(stamp[:10])
    missing = tuple(
        reason for reason, said in (("gender_missing", gender), ("race_missing", race)) if not said
    )
    return NameLabels(
        age=int(age),
        gender=int(gender) if gender else -1,
        race=int(race) if race else -1,
        stamp=stamp if real else None,
        stamp_digits=len(stamp),
        misspelt=suffix != ".jpg",
        reasons=missing if real else (*missing, "timestamp_invalid"),
    )


def has_utkface_names(ids: Sequence[str], *, share: float) -> bool:
    """Whether at least this share of the file names carry all labels and are spelt right."""
    wanted = max(1, math.ceil(share * len(ids)))
    labels = (parse_name(base_name(file_id)) for file_id in ids)
    strict = (True for each in labels if not each.misspelt and not each.reasons)
    return sum(islice(strict, wanted)) == wanted


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder in which at least one image name in ten is one of UTKFace's."""
    fits = given.is_folder and has_utkface_names(given.listing.ids, share=MIN_SHARE)
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the file names describe, at any depth of folders.

    Attributes: race, gender, age_bin, and when images were collected, from crawl_day to crawl_minute. A name that cannot be read keeps its row.
    """
    listing = drop_copies(given.images_without_columns(settings))
    labels = [parse_name(base_name(file_id)) for file_id in listing.ids]
    said = [(one.age, one.gender, one.race) for one in labels]
    ages, genders, races = np.array(said, np.int16).reshape(-1, 3).T.copy()
    attributes = (
        Attribute("race", RACES, races, "demographic"),
        Attribute("gender", GENDERS, genders, "demographic"),
        bin_ages(ages, settings.age_bins),
        *(
            encode_attribute(name, [one.stamp and one.stamp[:digits] for one in labels], "batch")
            for name, digits in CRAWL.items()
        ),
    )
    rejects = [
        Reject(file_id, reason)
        for file_id, one in zip(listing.ids, labels, strict=True)
        for reason in one.reasons
    ]
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        attributes,
        ages=ages,
        taken=np.array([int((one.stamp or "")[:17].ljust(17, "0")) for one in labels], np.int64),
        rejects=rejects,
        skipped=(("copy in another folder", len(given.pictures.ids) - len(listing.ids)),),
        notes=(
            *listing.notes[len(given.pictures.notes) :],
            *_name_notes(listing.ids, labels),
            *below_bins_notes(ages, settings.age_bins),
        ),
        label_source=LABEL_SOURCE,
    )


@lru_cache(maxsize=4096)  # 23,704 names of the set share 132 hours
def _is_real_hour(text: str) -> bool:
    """Whether ten digits yyyymmddHH are an hour of the calendar."""
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return int(text[8:]) < 24


def _name_notes(ids: Sequence[str], labels: Sequence[NameLabels]) -> list[str]:
    """Return what is irregular about the names, one sentence a kind."""
    reasons = {
        "gender_missing": "no gender: it counts as not annotated",
        "race_missing": "no race: it counts as not annotated, because public repairs of it disagree",
        "name_not_utkface": "nothing that reads as UTKFace labels: none of them is annotated",
        "timestamp_invalid": "a timestamp that is no real date and hour: its crawl day and hour are unknown",
    }
    carry, pairs = ("file name carries", "file names carry"), [*zip(ids, labels, strict=True)]
    notes = []
    for reason, meaning in reasons.items():
        notes += names_note([i for i, one in pairs if reason in one.reasons], *carry, meaning)
    misspelt = [i for i, one in pairs if one.misspelt]
    rest = "misspelt, but the labels could be read"
    notes += names_note(misspelt, "file name is", "file names are", rest)
    odd = [(i, one.stamp_digits) for i, one in pairs if one.stamp_digits != _STAMP_DIGITS]
    lengths = " or ".join(str(n) for n in sorted({digits for _, digits in odd}))
    rest = (
        f"a timestamp of {lengths} digits instead of {_STAMP_DIGITS}; day and hour could be read"
    )
    notes += names_note([i for i, _ in odd], *carry, rest)
    names = [base_name(file_id) for file_id in ids]
    crops = {name.removesuffix(_CHIP) for name in names if name.endswith(_CHIP)}
    if twice := [file_id for file_id, name in zip(ids, names, strict=True) if name in crops]:
        notes.append(
            f"{counted(len(twice), 'photograph is', 'photographs are')} there twice, in the wild and as its cropped face, "
            f"each with the same labels: {name_some(twice)}. Give one of the two folders to count every face once."
        )
    return notes
