"""I7: no pickle, no eval, no shell. Read out of the source, so that a call nobody tests is seen too.

tests/test_architecture.py says which module may be imported where; here are the calls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "fer_audit"
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}

RUNS_TEXT = {
    *("eval", "exec", "compile", "__import__", "execfile", "runpy.run_path", "runpy.run_module"),
    *("code.interact", "builtins.eval", "builtins.exec"),
}
UNPICKLES = {
    *("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "jsonpickle"),
    *("xmlrpc", "copyreg"),
}
"""Modules whose `load` builds what the bytes say."""
LOADS = {
    *("torch.load", "torch.jit.load", "torch.hub.load", "torch.package", "yaml.load"),
    *("yaml.unsafe_load", "yaml.full_load", "pd.read_pickle", "pandas.read_pickle"),
    *("np.loads", "np.fromfile", "numpy.fromfile", "onnxruntime.SessionOptions.register"),
    *("models.load_state_dict_from_url", "ctypes.CDLL", "ctypes.cdll.LoadLibrary"),
}
STARTS = {
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty.spawn"),
    *("subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec", "webbrowser.open"),
}
STARTS_IN_A_FAMILY = ("os.exec", "os.spawn", "os.posix_spawn")
UNPACKS = {"extract", "extractall", "unpack_archive"}
"""Methods that write an archive's members to names of the archive's choosing."""

ALLOWED = {("embed/cuda.py", "ctypes.CDLL"): "the CUDA driver, by a name of ours"}
"""(file, call) -> why it is no data of a user's."""


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Yield every call of the package: file, node and the dotted name that is called."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, node, ast.unparse(node.func)


def keywords(node: ast.Call) -> dict[str, str]:
    return {each.arg: ast.unparse(each.value) for each in node.keywords if each.arg}


def test_no_text_is_run_and_nothing_is_unpickled() -> None:
    for name, node, called in calls():
        line = f"{name}:{node.lineno} {called}"
        if (name, called) in ALLOWED:
            continue
        assert called not in RUNS_TEXT | LOADS, line
        assert called.split(".")[0] not in UNPICKLES, line
        assert not called.endswith(("register_custom_ops_library", ".add_provider_library")), line


def test_no_module_that_unpickles_is_imported() -> None:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found = [node.module or ""]
            assert not UNPICKLES & {each.split(".")[0] for each in found}, f"{name}: {found}"


def test_programs_are_started_in_two_places_with_words_of_ours_and_no_shell() -> None:
    started = []
    for name, node, called in calls():
        line = f"{name}:{node.lineno} {called}"
        assert called not in STARTS, line
        assert not called.startswith(STARTS_IN_A_FAMILY), line
        assert keywords(node).get("shell", "False") == "False", line
        if called in {"subprocess.run", "subprocess.Popen"}:
            started.append(name)
            assert isinstance(node.args[0], ast.List), f"{line}: one text would be for a shell"

    # npm pack and pip download, and this Python itself to decode images
    assert started == ["encoders/packages.py", "pack/workers.py"]


def test_arrays_are_read_and_written_without_pickles() -> None:
    for name, node, called in calls():
        if called in {"np.load", "np.save", "numpy.load", "np.lib.format.read_array"}:
            assert keywords(node).get("allow_pickle") == "False", f"{name}:{node.lineno}"
        assert "savez" not in called, f"{name}:{node.lineno}"


def test_no_archive_is_unpacked() -> None:
    for name, node, called in calls():
        assert called.split(".")[-1] not in UNPACKS, f"{name}:{node.lineno} {called}"


def test_files_of_others_are_opened_to_be_read() -> None:
    """An .h5 opened for writing would be changed, and a tar without a kind would guess among decompressors."""
    for name, node, called in calls():
        line = f"{name}:{node.lineno} {ast.unparse(node)}"
        if called == "h5py.File":
            assert ast.unparse(node.args[1]) == "'r'", line
        if called == "tarfile.open":
            assert ast.unparse(node.args[1]) in {"'r:gz'", "'r:'"}, line
        if called == "onnx.load":
            assert keywords(node).get("load_external_data") == "False", line


def test_modules_are_imported_by_names_of_ours() -> None:
    """The command line and the front door import on demand: from a table in the source, never from an input."""
    places = {name for name, _, called in calls() if called.endswith("import_module")}

    assert places <= {
        *("__init__.py", "cli/app.py"),
        *("dataset/formats/registry.py", "dataset/sources/source.py"),
    }


@pytest.mark.parametrize("name", sorted({file for file, _ in ALLOWED}))
def test_an_exception_outlives_no_file(name: str) -> None:
    used = {(file, called) for file, _, called in calls()}

    assert all(entry in used for entry in ALLOWED if entry[0] == name)
