"""Who may read what a run leaves behind."""

from __future__ import annotations

from pathlib import Path


def open_to_others(place: Path) -> list[Path]:
    """Return what is not private to the user, the place itself included: files 0600, folders 0700, and no links."""
    assert place.exists(), place
    return sorted(
        path
        for path in (place, *place.rglob("*"))
        if path.lstat().st_mode & 0o7777 != (0o700 if path.is_dir() else 0o600)
        or path.is_symlink()
    )
