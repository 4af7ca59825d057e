"""Feed every target for some minutes, one after the other: `python -m tests.fuzz --minutes 10 [TARGET ...]`."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tests.fuzz.targets import TARGETS

_EXECUTED = re.compile(r"^stat::number_of_executed_units: +([0-9]+)", re.MULTILINE)
_COVERED = re.compile(r"cov: ([0-9]+) ft: ([0-9]+)")
_LAST_LINES = 15


@click.command()
@click.argument("names", nargs=-1, metavar="[TARGET]...")
@click.option("--minutes", type=float, default=10, show_default=True, help="For each target.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/fuzz"),
    show_default=True,
    help="Corpus, log and findings of every target.",
)
def main(names: tuple[str, ...], minutes: float, out: Path) -> None:
    """Print a line for each target; exit 1 when anything was found."""
    led = importlib.util.find_spec("atheris") is not None
    driver = "by_atheris" if led else "by_hypothesis"
    if not led:
        click.echo("atheris is not installed: inputs are drawn by hypothesis, not led by coverage")
    unknown = set(names) - set(TARGETS)
    if unknown:
        raise click.UsageError(f"no such target: {', '.join(sorted(unknown))}")
    lines = [_fuzz(driver, name, out / name, round(60 * minutes)) for name in names or TARGETS]
    if not all(lines):
        sys.exit(1)


def _fuzz(driver: str, name: str, folder: Path, seconds: int) -> bool:
    """Feed one target in its own process; whether nothing was found."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    for old in folder.glob("found/*"):
        old.unlink()
    memory = Path("/dev/shm")  # files are written for every input
    command = [sys.executable, "-m", f"tests.fuzz.{driver}", name, str(folder), str(seconds)]
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch,
        log.open("wb") as file,
    ):
        environment = {**os.environ, "TMPDIR": scratch}
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False
        )
    text = log.read_text(errors="replace")
    executed = sum(map(int, _EXECUTED.findall(text)))
    covered = _COVERED.findall(text)
    found = sorted(folder.glob("found/*.txt"))
    coverage = f", cov {covered[-1][0]} ft {covered[-1][1]}" if covered else ""
    click.echo(f"{name}: {executed:,} inputs in {seconds} s{coverage}, {len(found)} findings")
    for path in found:
        click.echo(f"  {path.with_suffix('.bin')}: {path.read_text().splitlines()[0]}")
    if done.returncode != 0:
        click.echo("\n".join(text.splitlines()[-_LAST_LINES:]))
    return done.returncode == 0 and not found


if __name__ == "__main__":
    main()
