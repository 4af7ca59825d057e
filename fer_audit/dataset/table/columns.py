"""What each column of a table is used for: as asked for, or recognised by its usual name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_audit.config import DatasetSettings
from fer_audit.dataset.types import Kind
from fer_audit.errors import ConfigError
from fer_audit.text import name_some

PATH_NAMES = (  # noqa: SIM905 - words read better as words
    "file file_name filename path file_path filepath image image_path image_file image_name "
    "image_filename img img_path img_file img_name face_name_align image_id img_id name id"
).split()
"""Usual names of the path column, the surest first."""
_DEMOGRAPHIC = (  # noqa: SIM905 - words read better as words
    "race race4 race7 ethnicity ethnic_group gender sex group skin_tone skin_type skin_color "
    "fitzpatrick fitzpatrick_skin_type monk_skin_tone nationality age_group"
).split()
_LABEL = (  # noqa: SIM905 - words read better as words
    "expression expression_label facial_expression emotion emotion_label label class"
).split()
_BATCH = (  # noqa: SIM905 - words read better as words
    "session split partition usage folder dataset source site camera video "
    "subject subject_id person person_id identity"
).split()
KNOWN_NAMES: dict[str, Kind] = {
    **dict.fromkeys(_DEMOGRAPHIC, "demographic"),
    **dict.fromkeys(_LABEL, "label"),
    **dict.fromkeys(_BATCH, "batch"),
}
"""Attributes that are recognised when no column is asked for."""

AGE_NAME = "age"


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

    path: str
    attributes: tuple[Role, ...]
    """Demographic ones first, then labels, then batches."""
    age: Role | None
    unused: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        """Return every column that has to be read, once each."""
        return tuple(dict.fromkeys((self.path, *self.label_columns())))

    def label_columns(self) -> tuple[str, ...]:
        """Return every column that holds a label, once each."""
        age = () if self.age is None else (self.age.column,)
        return tuple(dict.fromkeys((*(role.column for role in self.attributes), *age)))


def assign_roles(columns: Sequence[str], settings: DatasetSettings, *, table: str) -> Roles:
    """Return the use of each of a table's columns. Raises ConfigError for a column that is not there."""
    path = _path_column(columns, settings, table)
    age = _age_role(columns, settings, table)
    taken = {path} if age is None else {path, age.column}
    asked: tuple[tuple[Kind, tuple[tuple[str, str], ...]], ...] = (
        ("demographic", settings.group),
        ("label", settings.label),
        ("batch", settings.batch),
    )
    if any(pairs for _, pairs in asked):
        roles = [
            Role(name, _require(column, columns, table), kind, asked=True)
            for kind, pairs in asked
            for name, column in pairs
        ]
    else:
        roles = _recognise([column for column in columns if column not in taken])
    _refuse_repeated_names(roles, age)
    used = taken | {role.column for role in roles}
    return Roles(
        path=path,
        attributes=tuple(roles),
        age=age,
        unused=tuple(column for column in columns if column not in used),
    )


def _path_column(columns: Sequence[str], settings: DatasetSettings, table: str) -> str:
    if settings.path_column is not None:
        return _require(settings.path_column, columns, table)
    by_name = {_plain(column): column for column in reversed(columns)}
    for name in PATH_NAMES:
        if name in by_name:
            return by_name[name]
    raise ConfigError(
        f"{table}: no column is named like a path to an image; its columns are {_list(columns)}",
        hint="Name it with --path-column; the first line of the table must name the columns.",
    )


def _age_role(columns: Sequence[str], settings: DatasetSettings, table: str) -> Role | None:
    if settings.age_column is not None:
        column = _require(settings.age_column, columns, table)
        return Role("age_bin", column, "demographic", asked=True)
    if any(name == "age_bin" for name, _ in (*settings.group, *settings.label, *settings.batch)):
        return None
    for column in columns:
        if _plain(column) == AGE_NAME:
            return Role("age_bin", column, "demographic", asked=False)
    return None


def _recognise(columns: Sequence[str]) -> list[Role]:
    """Return the roles of columns with well-known names, demographic ones first."""
    found: dict[str, Role] = {}
    for column in columns:
        name = _plain(column)
        if name in KNOWN_NAMES and name not in found:
            found[name] = Role(name, column, KNOWN_NAMES[name], asked=False)
    order: tuple[Kind, ...] = ("demographic", "label", "batch")
    return sorted(found.values(), key=lambda role: order.index(role.kind))


def _refuse_repeated_names(roles: Sequence[Role], age: Role | None) -> None:
    names = [role.name for role in roles] + ([] if age is None else [age.name])
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f'Two columns are asked for as the attribute "{name}"',
                hint="Give each --group, --label and --batch its own name.",
            )


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
