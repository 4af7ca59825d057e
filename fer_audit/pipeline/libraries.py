"""Keep the files that matplotlib and numba write for themselves in our cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fer_audit.store.stage import make_folder

_SETTINGS = {
    "matplotlib": "MPLCONFIGDIR",  # the list of fonts; its settings file is also looked for there
    "numba": "NUMBA_CACHE_DIR",  # what it compiles for UMAP
}


def keep_libraries_in(cache: Path) -> None:
    """Tell matplotlib and numba to keep their files in `cache`; call it before the first import of either.

    By default they write to the user's home or to the installed package, and matplotlib cannot start where both
    the home and the folder of temporary files are read-only. A folder that the user has set stays.
    Raises StoreError when a folder cannot be made.
    """
    for library, name in _SETTINGS.items():
        if name not in os.environ and library not in sys.modules:
            make_folder(cache / "libraries")
            make_folder(cache / "libraries" / library)
            os.environ[name] = str((cache / "libraries" / library).resolve())
