"""A path in, a dataset out, whichever format it has; and what the card of its owner says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from fer_audit.config import AuditConfig, DatasetSettings
from fer_audit.dataset.build import take_only, take_subset
from fer_audit.dataset.formats.registry import FORMATS, YOURS, Format, Match, format_names
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import CARD
from fer_audit.dataset.maps import chosen_maps, with_maps
from fer_audit.dataset.types import FaceDataset
from fer_audit.dataset.weights import with_weights
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, name_some, whole

_NUMBERS = re.compile(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}")
"""`{000000..000012}`: thirteen numbers of six digits, as WebDataset names shards."""
MAX_SHARDS = 100_000


def load_dataset(path: Path | str, config: AuditConfig | None = None) -> FaceDataset:
    """Return the dataset in a folder, a table or some archives. No image is opened, only listed.

    `config.dataset.layout` "auto" asks every format of `FORMATS` and reads the best match.
    Columns asked for by name mean the table.
    Raises DatasetError when there is nothing to audit, ConfigError when the settings do not fit the data, two formats
    fit equally well, or the set needs a decision.
    """
    config = config or AuditConfig()
    settings = config.dataset
    if settings.layout not in format_names():
        raise ConfigError(
            f'There is no dataset format "{settings.layout}"',
            hint=f"Formats are {', '.join(format_names())}.",
        )
    maps = chosen_maps(settings.map)
    given = given_path(Path(path), settings)
    form = choose_format(given, settings)
    terms = "" if form.terms == YOURS else form.terms
    dataset = form.read(given, replace(settings, layout=form.name))
    dataset = replace(dataset, format=form.name, terms=terms)
    have = [attribute.name for attribute in dataset.attributes]
    if unknown := next((name for name, _ in settings.names if name not in have), None):
        raise ConfigError(
            f'--names is about "{unknown}", and {dataset.name} has no such attribute',
            hint=f"It has {name_some(have, limit=40)}." if have else "It has none.",
        )
    mapped = with_weights(with_maps(with_owner_card(dataset), maps), settings.weights)
    return take_subset(take_only(mapped, settings), settings, seed=config.seed)


def given_path(path: Path, settings: DatasetSettings) -> DatasetPath:
    """Return what lies at a path. Raises DatasetError when nothing does, or a pattern's file is missing."""
    images = None if settings.images_dir is None else Path(settings.images_dir)
    if images is not None and not images.is_dir():
        raise DatasetError(f"There is no folder at {images}, which --images names")
    try:
        exists = path.exists()
    except OSError as exc:
        raise DatasetError(f"{path} cannot be looked at: {exc.strerror}") from exc
    if exists and path.is_dir():
        return DatasetPath(path, is_folder=True, images=images)
    files = (path,) if exists else _numbered(path)
    if not files:
        raise DatasetError(
            f"There is no folder or table at {path}",
            hint="Check the path; it is relative to here.",
        )
    if missing := [each for each in files if not each.exists()]:
        names = name_some([each.name for each in missing])
        raise DatasetError(
            f"{counted(len(missing), 'file')} of {path} {'is' if len(missing) == 1 else 'are'} not there: {names}"
        )
    return DatasetPath(path, is_folder=False, files=files, images=images)


def _numbered(path: Path) -> tuple[Path, ...]:
    """Return the files that a pattern such as `faces-{000..012}.tar` means; () when the name is no pattern."""
    found = _NUMBERS.search(path.name)
    if found is None:
        return ()
    first, last, width = int(found[1]), int(found[2]), len(found[1])
    if not first <= last < first + MAX_SHARDS:
        raise DatasetError(f"The numbers in {path} are no range of at most {MAX_SHARDS} files")
    numbers = (f"{number:0{width}d}" for number in range(first, last + 1))
    return tuple(path.with_name(path.name.replace(found[0], number, 1)) for number in numbers)


def choose_format(given: DatasetPath, settings: DatasetSettings) -> Format:
    """Return the format asked for, else the best match; a file is read only as a format that it matches.

    Raises ConfigError when two formats are certain, DatasetError when none fits.
    """
    named = next((form for form in FORMATS if form.name == settings.layout), None)
    if given.is_folder and named is not None:
        return named
    matches = {form: form.sniff(given, settings) for form in FORMATS}
    best = max(FORMATS, key=matches.__getitem__)
    if matches[best] == Match.NO:
        raise DatasetError(
            f"{given.path} is neither a folder nor a file that any format reads",
            hint="`fer-audit datasets` lists what is read.",
        )
    if named is not None:
        if matches[named] == Match.NO:
            raise ConfigError(
                f"{given.path} is a {best.name}, the format asked for is {named.name}",
                hint=f"Give the folder, or --layout {best.name}.",
            )
        return named
    certain = [form.name for form in FORMATS if matches[form] == Match.CERTAIN]
    if matches[best] == Match.CERTAIN and len(certain) > 1:
        raise ConfigError(
            f"{given.path} looks like {' and like '.join(certain)}",
            hint=f"Say which: --layout {certain[0]} or --layout {certain[1]}.",
        )
    return best


MAX_CARD_BYTES = 1_000_000
"""A card is a few sentences."""


def with_owner_card(dataset: FaceDataset) -> FaceDataset:
    """Return the dataset with the sentences of the card in its folder, if there is one.

    The card is {"label_source": "one sentence: who made the labels", "notes": ["known defect", ...]}, both optional.
    Raises ConfigError for a card that is anything else.
    """
    path = dataset.root / CARD
    if path.is_symlink() or not path.is_file():
        return dataset
    if path.stat().st_size > MAX_CARD_BYTES:
        raise ConfigError(
            f"{path} is larger than {whole(MAX_CARD_BYTES)} bytes: that is no dataset card",
            hint="Move it elsewhere, or shorten it.",
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise ConfigError(f"Cannot read {path}: {exc}") from exc
    card = card if isinstance(card, dict) else {"notes": None}
    source, notes = card.get("label_source", ""), card.get("notes", [])
    if not isinstance(source, str) or not isinstance(notes, list):
        raise ConfigError(
            f"{path} is no dataset card",
            hint='It looks like {"label_source": "Who made the labels.", "notes": ["A known defect."]}.',
        )
    said = (*map(str, notes), *dataset.notes)
    return replace(dataset, label_source=source or dataset.label_source, notes=said)
