"""purge: remove what shows or identifies the faces of a run, finished or not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fer_audit.cli.output import answer, answer_json
from fer_audit.cli.param_types import PATH, flag, option
from fer_audit.errors import StoreError

if TYPE_CHECKING:
    from fer_audit.pipeline.purge import Purge

PURGE_SCHEMA = "fer-audit/purge/2"


@click.command("purge", short_help="Remove the pixels, vectors and pictures of a run.")
@click.argument("run", type=PATH, metavar="RUN")
@option(
    "--cache-dir", "Where the run kept pixels and vectors; default: the user's cache.", type=PATH
)
@flag(
    "--rows",
    "Also remove rows.parquet, rows.csv, predictions.parquet, lists/, balance/ and split/.",
)
@flag("--dry-run", "Remove nothing; say what would go.")
@flag("--json as_json", "Print what was removed as JSON.")
def purge_command(
    run: Path, cache_dir: Path | None, rows: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove what shows or identifies faces from the run directory RUN and from the cache.

    Pixels, vectors, clusters and principal coordinates go from the cache, embeddings.npy from RUN, and the mean faces and
    contact sheets from pictures.json and report.html. The numbers stay: result.json, timings.json, the map, the page,
    and rows.parquet, predictions.parquet, lists/, balance/ and split/ unless --rows. A run that was killed can be purged too. It asks nothing first, may be repeated, and the
    same fer-audit run makes all of it again.

    \b
    Examples:
      fer-audit purge runs/utkface --dry-run
      fer-audit purge runs/utkface
      fer-audit purge runs/utkface --rows --json
    """  # noqa: D301 - \b is click's mark for a block it must not wrap
    from fer_audit.pipeline.libraries import keep_libraries_in
    from fer_audit.pipeline.purge import purge_run
    from fer_audit.store.stage import cache_folder

    if cache_dir is not None and not cache_dir.is_dir():
        raise StoreError(f"There is no cache in {cache_dir}; nothing was removed")
    cache = cache_folder(cache_dir)
    keep_libraries_in(cache)
    done = purge_run(run, cache, rows=rows, dry_run=dry_run)
    if as_json:
        facts = {"schema": PURGE_SCHEMA, "dry_run": dry_run, "size_bytes": done.size_bytes}
        document = facts | dataclasses.asdict(done)
        answer_json(json.dumps(document, indent=2) + "\n")
    else:
        for line in _lines(done, run, cache, dry_run=dry_run):
            answer(line)


def _lines(done: Purge, run: Path, cache: Path, *, dry_run: bool) -> list[str]:
    from fer_audit.text import counted, size_text

    verb = "would be removed" if dry_run else "removed"
    lines = [f"{verb}: {size_text(done.size_bytes)}"]
    for each in done.removed:
        where = run if each.place == "run" else cache
        how = counted(each.files, "file") if each.files else "written again without them"
        lines.append(f"  {each.what}, {size_text(each.size_bytes)} ({how}): {where / each.path}")
    if not done.removed:
        lines.append("  nothing: there was nothing left to remove")
    lines += [f"not found: {what}: {cache / path}" for what, path in done.not_found]
    if done.not_found:
        lines.append("  Did the run use another --cache-dir? Then name it.")
    if done.other_names:
        one, many = ("other name of the vectors is", "other names of the vectors are")
        left = counted(done.other_names, one, many)
        lines.append(
            f"{left} left, in the cache or in run directories that share it: purge those, too."
        )
    if any(each.place == "cache" for each in done.removed):
        lines.append("Other runs that share what was in the cache will have to make it again.")
    lines.append(f"kept: {', '.join(done.kept) or 'nothing'}")
    return lines
