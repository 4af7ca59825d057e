"""The house as DESIGN.md section 2 draws it, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "fer_audit"

FOUNDATION = (*("errors", "config", "store"), *("rng", "progress", "cores", "text"))
ROOMS = (
    *("dataset", "pack", "encoders", "embed", "classify", "cluster", "audit", "report"),
    *("synth", "pipeline", "bench", "cli"),
)
"""In the order data walks through them."""
SEES_WHOLE_ROOMS = ("synth", "pipeline", "bench", "cli")
"""Everybody else sees only the `types` of a room to the left."""

SHARED = (["dataset", "sources"], ["dataset", "maps"])
"""Values that rooms to the right read as they do records."""

OWNERS = {
    "onnxruntime": (),
    "onnx": ("encoders",),
    "sklearn": ("cluster", "audit"),
    "scipy": ("cluster", "audit"),
    "pyarrow": ("dataset", "report"),
    "h5py": ("encoders",),
    "torch": (),
    "torchvision": (),
    "matplotlib": ("report",),
    "jinja2": ("report",),
    "rich": ("report",),
    "PIL": ("pack", "synth"),
    "umap": (),
    "skimage": (),
}
"""Heavy library -> rooms that may import it at module level. Elsewhere an import waits inside a function."""

ONLY_HOMES = {
    "onnxruntime": ("embed/session.py",),
    "sklearn.cluster": ("cluster/",),
    "umap": ("cluster/map.py",),
    "openpyxl": ("dataset/table/excel.py",),
    "skimage": ("encoders/lbp.py",),
    "multiprocessing": (),
    "rich.live": ("cli/console.py",),
    "filelock": ("store/locks.py",),
    "platformdirs": ("store/stage.py",),
    "tempfile": ("store/stage.py",),
    "h5py": ("encoders/",),
    "torch": ("encoders/torch_export.py",),
    "torchvision": ("encoders/torch_export.py",),
    "urllib": ("encoders/resnet50.py",),
    "subprocess": ("encoders/packages.py", "pack/workers.py"),
    "tarfile": ("encoders/packages.py", "dataset/formats/webdataset.py"),
    "random": (),
    "pickle": (),
    "marshal": (),
    "shelve": (),
    "joblib": (),
    "pandas": (),
    "requests": (),
    "socket": (),
}
"""Module -> the only files that may import it at all."""

MAX_LINES = 350
LONGER = {
    "config.py": "one setting after the other; nothing to split",
}
"""Files that are longer than we aim for, and why."""


@dataclass(frozen=True)
class Import:
    """One import of one module, and where it stands."""

    module: str
    """Dotted; `from fer_audit.store.stage import StageFolder` counts as fer_audit.store.stage."""
    names: tuple[str, ...]
    line: int
    is_lazy: bool
    """Inside a function, or only for the type checker."""


SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def where(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    """Return the first folder under the package, or the name of a file that stands alone."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(tree: ast.Module) -> Iterator[Import]:
    def walk(node: ast.AST, *, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, (), child.lineno, lazy)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"line {child.lineno}: a relative import"
                names = tuple(alias.name for alias in child.names)
                yield Import(child.module or "", names, child.lineno, lazy)
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) or (
                isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            ):
                yield from walk(child, lazy=True)
            else:
                yield from walk(child, lazy=lazy)

    return walk(tree, lazy=False)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def imported_names(found: Import) -> list[str]:
    """Return every module this import could mean: `from sklearn import cluster` is sklearn.cluster too."""
    return [found.module, *(f"{found.module}.{name}" for name in found.names)]


@pytest.mark.parametrize("path", SOURCES, ids=where)
def test_a_room_sees_the_foundation_itself_and_the_types_to_its_left(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        pytest.skip("the front door names what lies in every room, and loads it on demand")
    room = room_of(path)
    assert room in ROOMS + FOUNDATION, f"{where(path)} is in no room of DESIGN.md"

    for found in imports_of(TREES[path]):
        if not is_in(found.module, "fer_audit"):
            continue
        parts = found.module.split(".")
        line = f"{where(path)}:{found.line} imports {found.module}"
        if len(parts) == 1:
            assert found.names == ("__version__",), line
        elif parts[1] == room:
            continue
        elif parts[1] in FOUNDATION:
            rank = FOUNDATION.index
            assert room not in FOUNDATION or rank(parts[1]) < rank(room) or room == "store", line
        else:
            assert room in ROOMS, f"{line}: the foundation knows no room"
            assert ROOMS.index(parts[1]) < ROOMS.index(room), f"{line}: that is to the right"
            records = parts[2:3] == ["types"] or parts[1:3] in SHARED
            assert room in SEES_WHOLE_ROOMS or records, f"{line}: not its types"


@pytest.mark.parametrize("path", SOURCES, ids=where)
def test_heavy_libraries_load_only_in_the_room_that_owns_them(path: Path) -> None:
    for found in imports_of(TREES[path]):
        owners = OWNERS.get(found.module.split(".")[0])
        if owners is not None and not found.is_lazy:
            line = f"{where(path)}:{found.line} imports {found.module} at module level"
            assert room_of(path) in owners, line


@pytest.mark.parametrize("module", ONLY_HOMES)
def test_some_modules_are_imported_in_one_place_only(module: str) -> None:
    homes = ONLY_HOMES[module]

    for path, tree in TREES.items():
        for found in imports_of(tree):
            if any(is_in(name, module) for name in imported_names(found)):
                line = f"{where(path)}:{found.line} imports {module}"
                assert where(path).startswith(homes or "nowhere"), line


def test_the_foundation_is_light_until_it_works() -> None:
    """`--help` imports errors and config; neither may pull in numpy."""
    light = (
        *("__init__", "errors", "config", "cores", "progress", "store/fingerprint"),
        "dataset/formats/registry",
    )
    paths = [PACKAGE / f"{name}.py" for name in light]

    for path in paths:
        for found in imports_of(TREES[path]):
            assert found.is_lazy or not is_in(found.module, "numpy"), where(path)


def test_the_command_line_starts_without_numpy() -> None:
    for path, tree in TREES.items():
        if room_of(path) != "cli":
            continue
        for found in imports_of(tree):
            heavy = any(is_in(found.module, name) for name in (*OWNERS, "numpy", "PIL"))
            rooms = [f"fer_audit.{room}" for room in ROOMS if room != "cli"]
            ours = any(is_in(found.module, room) for room in rooms)
            assert found.is_lazy or not (heavy or ours), f"{where(path)}:{found.line}"


def test_library_code_never_prints_and_never_asks() -> None:
    """tests/test_nothing_runs_data.py has the calls that run text, start programs or unpickle."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                line = f"{where(path)}:{node.lineno} {ast.unparse(node)[:60]}"
                assert ast.unparse(node.func) not in {"print", "input", "breakpoint"}, line
                assert not any(
                    each.arg == "allow_pickle" and ast.unparse(each.value) == "True"
                    for each in node.keywords
                ), line


def test_numpy_has_no_global_randomness_here() -> None:
    allowed = {"default_rng", "Generator", "PCG64", "SeedSequence"}

    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random":
                assert node.attr in allowed, f"{where(path)}:{node.lineno} np.random.{node.attr}"


def test_only_the_command_line_catches_our_errors_as_a_family() -> None:
    for path, tree in TREES.items():
        if room_of(path) == "cli":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                assert "FerAuditError" not in ast.unparse(node.type), (
                    f"{where(path)}:{node.lineno}"
                )


def test_files_are_short_enough_to_read_in_one_sitting() -> None:
    lengths = {where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    too_long = {name: n for name, n in lengths.items() if n > MAX_LINES and name not in LONGER}

    assert not too_long
    assert all(lengths[name] > MAX_LINES for name in LONGER), "a reason outlived its file"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"util", "utils", "helper", "helpers", "common", "misc", "tools", "base", "core"}

    assert not [where(path) for path in SOURCES if path.stem in drawers]


def test_telemetry_is_off_before_anything_is_imported() -> None:
    tree = TREES[PACKAGE / "__init__.py"]
    lines = [node.lineno for node in tree.body if "ORT_DISABLE_TELEMETRY" in ast.unparse(node)]

    assert len(lines) == 1
    heavy = [found for found in imports_of(tree) if found.module not in {"os", "importlib"}]
    assert all(found.is_lazy or found.module in {"__future__", "typing"} for found in heavy)
