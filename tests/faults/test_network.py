"""No socket, and nothing written but the run directory and the cache: what the kernel saw of whole runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_faces
from tests.faults.conftest import QUICK, clean_environment, command
from tests.faults.modes import open_to_others
from tests.faults.traces import Trace, need, traced

FACES = 130
"""More than MOST of them fit in one cluster of three: each has a mean face to draw."""

_RUNS_IN_CI = re.compile(r"(^|_)CI($|_)|^(GITHUB|GITLAB|TRAVIS|CIRCLE|BUILDKITE|JENKINS|TF_BUILD)")
_STEERS = re.compile(r"^(XDG_|MPLCONFIGDIR$|NUMBA_|JOBLIB_|ORT_|PYTHON)")


@dataclass(frozen=True)
class Home:
    """A user who has never run the program: a home, a folder to stand in, one for temporary files, and faces."""

    folder: Path
    faces: Path
    model: Path

    @property
    def cache(self) -> Path:
        return self.folder / "home" / ".cache" / "fer-audit"

    @property
    def here(self) -> Path:
        return self.folder / "here"

    def environment(self) -> dict[str, str]:
        """Return an environment that is no CI's, with nothing that tells libraries where to write.

        onnxruntime stays quiet by itself where CI is set, so a test under CI would prove nothing.
        """
        kept = {
            name: value
            for name, value in clean_environment().items()
            if not _RUNS_IN_CI.search(name) and not _STEERS.match(name)
        }
        # Python's own .pyc files lie beside the package; an installer has written them already.
        own = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
        return kept | own | {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp")}

    def words(self, out: Path, *more: str | Path) -> list[str]:
        """Return the command of a whole run, thumbnails and all."""
        shown = ("--thumbnails", "2", "--csv", *map(str, more))
        return command("run", self.faces, "--model", self.model, "--out", out, *QUICK, *shown)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Home:
    folder = tmp_path_factory.mktemp("private")
    for name in ("home", "here", "tmp"):
        (folder / name).mkdir()
    return Home(folder, draw_faces(folder / "set" / "faces", FACES), tiny_model.path)


@pytest.fixture(scope="module")
def whole_run(home: Home) -> Trace:
    """Give the trace of one whole run with everything switched on, under the usual umask."""
    need("strace")
    return traced(
        ["sh", "-c", 'umask 022; exec "$@"', "sh", *home.words(home.folder / "run")],
        home.folder / "calls",
        cwd=home.here,
        env=home.environment(),
    )


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, time and bytes of everything in a folder, itself included."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            b"" if path.is_dir() else path.read_bytes(),
        )
        for path in (folder, *folder.rglob("*"))
    }


def test_the_trace_would_show_a_socket_and_a_file(tmp_path: Path, home: Home) -> None:
    """The control: without it the tests below could pass because nothing is seen."""
    need("strace")
    code = (
        "import socket, pathlib, threading, os\n"
        "thread = threading.Thread(target=lambda: socket.socket(socket.AF_UNIX).close())\n"
        "thread.start(); thread.join()\n"
        "if os.fork() == 0:\n"
        "    socket.socketpair(); pathlib.Path('tell').write_text('x'); os._exit(0)\n"
        "os.wait(); os.rename('tell', 'tale')\n"
    )

    seen = traced(
        [sys.executable, "-c", code], tmp_path / "calls", cwd=tmp_path, env=home.environment()
    )

    assert seen.code == 0, seen.err
    assert {"socket", "socketpair"} <= {line.partition("(")[0] for line in seen.sockets}
    assert seen.outside() == [tmp_path / "tale", tmp_path / "tell"]
    assert seen.outside(tmp_path) == []


@pytest.mark.core
def test_a_whole_run_opens_no_socket_of_any_kind(whole_run: Trace) -> None:
    """I6, with no CI variable set. AF_UNIX counts: there is nothing to talk to."""
    assert whole_run.code == 0, whole_run.err
    assert whole_run.sockets == ()


@pytest.mark.core
def test_a_whole_run_writes_into_its_run_directory_and_the_cache_only(
    whole_run: Trace, home: Home
) -> None:
    """I5, from a home that nothing was ever written to: no list of fonts, no semaphore, no temporary file."""
    made_for_cache = {home.folder / "home" / ".cache"}

    assert whole_run.code == 0, whole_run.err
    assert set(whole_run.outside(home.folder / "run", home.cache)) <= made_for_cache
    assert list((home.folder / "tmp").iterdir()) == list(home.here.iterdir()) == []


def test_the_other_verbs_open_no_socket_and_write_where_they_are_told(
    whole_run: Trace, home: Home, tmp_path: Path
) -> None:
    """One after the other in one process tree: a comparison, a card, a purge that draws the page again."""
    run, told = home.folder / "run", tmp_path / "told"
    told.mkdir()
    verbs = (
        ("compare", run, run, "--page", told / "compared.html"),
        ("card", run, "--out", told / "card.md"),
        ("purge", run),
    )
    script = " && ".join(shlex.join(command(*verb)) for verb in verbs)

    seen = traced(["sh", "-c", script], tmp_path / "calls", cwd=home.here, env=home.environment())

    assert whole_run.code == seen.code == 0, seen.err
    assert seen.sockets == ()
    assert seen.outside(run, home.cache, told) == []
    assert open_to_others(run) == open_to_others(home.cache) == []
    assert [path for path in open_to_others(told) if path != told] == []


READ_ONLY = """
set -e
for place in "$FACES" "$HOME" "$PWD" "$TMPDIR"; do
    mount --bind "$place" "$place"
    mount -o remount,ro,bind "$place"
    if touch "$place/written" 2>/dev/null; then exit 98; fi
done
cd "$PWD"
test "$(grep -c : /proc/net/dev)" = 1 || exit 99
exec "$@"
"""


def test_a_run_needs_no_network_and_nothing_writable_but_its_two_places(home: Home) -> None:
    """An empty network namespace; the set, the home, the working folder and the temporary one mounted read-only."""
    need("unshare", "mount", "sh")
    namespaces = ["unshare", "--net", "--mount", "--map-root-user"]
    trial = subprocess.run([*namespaces, "true"], capture_output=True, check=False)
    if trial.returncode:
        pytest.skip(f"unshare may not make namespaces here: {trial.stderr.decode().strip()}")
    out, cache = home.folder / "run-alone", home.folder / "cache-alone"
    before = state(home.faces)

    done = subprocess.run(
        [*namespaces, "sh", "-c", READ_ONLY, "sh", *home.words(out, "--cache-dir", cache)],
        cwd=home.here,
        env=home.environment() | {"FACES": str(home.faces)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "ritable" not in done.stderr, "no library complains of what it may not write"
    assert (out / "DONE.json").is_file()
    assert (out / "report.html").is_file()
    assert state(home.faces) == before, "not a byte, not a time, not a mode"
