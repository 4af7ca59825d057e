"""What each column of a table is used for: as asked for, or recognised by its usual name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fer_audit.config import DatasetSettings
from fer_audit.dataset.listing import IMAGE_SUFFIXES, suffix_of
from fer_audit.dataset.table.file import TableFile
from fer_audit.dataset.types import Kind
from fer_audit.errors import ConfigError
from fer_audit.text import name_some

PATH_NAMES = (  # noqa: SIM905 - words read better as words
    "file file_name filename path file_path filepath image image_path image_file image_name "
    "image_filename img img_path img_file img_name face_name_align image_id img_id name id input"
).split()
"""Usual names of the path column, the surest first."""
_USUAL: dict[Kind, str] = {
    "demographic": "race race4 race7 ethnicity ethnic_group gender sex group skin_tone skin_type skin_color "
    "fitzpatrick fitzpatrick_skin_type monk_skin_tone nationality age_group",
    "label": "expression expression_label facial_expression emotion emotion_label label class",
    "batch": "session folder dataset source site camera video",
    "split": "split partition usage fold subset",
    "subject": "subject subject_id person person_id identity",
}
"""Usual names of attributes, by their kind."""
KNOWN_NAMES: dict[str, Kind] = {name: kind for kind in _USUAL for name in _USUAL[kind].split()}
"""Attributes that are recognised when no column is asked for."""

AGE_NAME = "age"
YEARS = "years="
"""Before the name of --age-column: small numbers are years, not codes."""
_KINDS = tuple(_USUAL)
"""The order of attributes."""


@dataclass(frozen=True, slots=True)
class Role:
    """One attribute to be made from one column."""

    name: str
    column: str
    kind: Kind
    asked: bool
    """Whether the user named it; False = recognised."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column of a table is used for."""

    path: str | None
    """The column of the images' paths; None = the images lie elsewhere."""
    attributes: tuple[Role, ...]
    """Demographic ones first, then labels, batches, splits, subjects."""
    age: Role | None
    unused: tuple[str, ...]

    @classmethod
    def known(cls, path: str, kinds: Mapping[str, Kind]) -> Roles:
        """Return the use of the columns of a set that is known: each is an attribute of its name."""
        roles = (Role(name, name, kind, asked=False) for name, kind in kinds.items())
        return cls(path, tuple(roles), None, ())

    def columns(self) -> tuple[str, ...]:
        """Return every column that has to be read, once each."""
        path = () if self.path is None else (self.path,)
        return tuple(dict.fromkeys((*path, *self.label_columns())))

    def label_columns(self) -> tuple[str, ...]:
        """Return every column that holds a label, once each."""
        age = () if self.age is None else (self.age.column,)
        return tuple(dict.fromkeys((*(role.column for role in self.attributes), *age)))


def assign_roles(
    columns: Sequence[str], settings: DatasetSettings, *, table: str, path: str | None
) -> Roles:
    """Return the use of each of a table's columns, `path` being the one of the images.

    Raises ConfigError for a column that is not there.
    """
    age = _age_role(columns, settings, table)
    taken = {path} if age is None else {path, age.column}  # None is no column
    special: tuple[tuple[Kind, str | None], ...] = (
        ("split", settings.split),
        ("subject", settings.subject),
    )
    asked: tuple[tuple[Kind, tuple[tuple[str, str], ...]], ...] = (
        ("demographic", settings.group),
        ("label", settings.label),
        ("batch", settings.batch),
        *((kind, ((kind, column),)) for kind, column in special if column is not None),
    )
    roles = [
        Role(name, _require(column, columns, table), kind, asked=True)
        for kind, pairs in asked
        for name, column in pairs
    ]
    named = bool(settings.group or settings.label or settings.batch)
    held = {role.column for role in roles}
    if "race_scores_fair" in columns:  # predict.py: the same race once more, in four groups
        held.add("race4")
    known: dict[str, Role] = {}
    for column in columns:
        if column not in taken | held and (name := _plain(column)) in KNOWN_NAMES:
            known.setdefault(name, Role(name, column, KNOWN_NAMES[name], asked=False))
    roles += [
        role
        for role in known.values()
        if not named or role.kind in ("split", "subject")  # these change no question of the audit
        if not any(role.kind == other.kind for other in roles if role.kind in ("split", "subject"))
    ]
    roles.sort(key=lambda role: _KINDS.index(role.kind))
    names = [role.name for role in roles] + ([] if age is None else [age.name])
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(
            f'Two columns are asked for as the attribute "{repeated}"',
            hint="Give each --group, --label and --batch its own name.",
        )
    used = taken | {role.column for role in roles}
    return Roles(
        path=path,
        attributes=tuple(roles),
        age=age,
        unused=tuple(column for column in columns if column not in used),
    )


def path_column(file: TableFile, settings: DatasetSettings, *, table: str) -> str:
    """Return the column of the images' paths: the one asked for, one of the usual names, else the first that holds paths.

    Raises ConfigError when there is none.
    """
    columns = file.columns
    if settings.path_column is not None:
        return _require(settings.path_column, columns, table)
    by_name = {_plain(column): column for column in reversed(columns)}
    for name in PATH_NAMES:
        if name in by_name:
            return by_name[name]
    for column in columns:
        if not file.has_header or not column:
            words = file.read([column]).columns[column].words
            named = sum(suffix_of(word.strip()) in IMAGE_SUFFIXES for word in words)
            if words and 2 * named > len(words):
                return column
    raise ConfigError(
        f"{table}: no column is named like a path to an image; its columns are {_list(columns)}",
        hint="Name it with --path-column; a table without a header has columns 1, 2, 3.",
    )


def _age_role(columns: Sequence[str], settings: DatasetSettings, table: str) -> Role | None:
    if settings.age_column is not None:
        column = _require(settings.age_column.removeprefix(YEARS), columns, table)
        return Role("age_bin", column, "demographic", asked=True)
    if any(name == "age_bin" for name, _ in (*settings.group, *settings.label, *settings.batch)):
        return None
    for column in columns:
        if _plain(column) == AGE_NAME:
            return Role("age_bin", column, "demographic", asked=False)
    return None


def _require(column: str, columns: Sequence[str], table: str) -> str:
    if column not in columns:
        raise ConfigError(
            f'{table} has no column "{column}"; its columns are {_list(columns)}',
            hint="Names are compared exactly, without the spaces around them.",
        )
    return column


def _plain(column: str) -> str:
    """Return a column's name as the known names are written."""
    return column.strip().lower().replace(" ", "_").replace("-", "_")


def _list(columns: Sequence[str]) -> str:
    return name_some(columns, limit=40)
